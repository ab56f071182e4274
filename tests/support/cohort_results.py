"""A small folder of results of a cohort, without running a network."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
from smalltumor.cohort.results.records import CohortCaseRecord, sha256_of_images, sizes_of_images
from smalltumor.cohort.results.results_folder import SETTINGS, TABLE, ResultsFolder
from smalltumor.cohort.results.rows import CohortRow, failed, numbers_of
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.cohort.results.tables import write_rows
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.lesions import LesionList, find_lesions, write_csv
from synthetic import SHAPE, write_case

AFFINE = np.diag([-4.0, -4.0, 4.0, 1.0])
"""Voxels of 64 mm3, so that a lesion that fits into these images may be large."""

EXPECTED_DICE = {"ann": 0.71, "bob": 0.82, "cyd": 0.93}

WARNING = "the brain is cut off"
LARGE, SMALL = (slice(4, 9), slice(6, 10), slice(6, 9)), (slice(12, 14), slice(8, 10), slice(8, 9))


def write_results(folder: Path) -> tuple[Path, Path]:
    """Write cases and their results; gives both folders.

    ``ann`` has a large lesion alone, ``bob`` a small one and a candidate, ``cyd`` a warning, and
    ``dan`` has failed. The network is least sure of ``ann``.
    """
    data, output = folder / "data", folder / "out"
    output.mkdir()
    for name in ("ann", "bob", "cyd"):
        write_case(data / name, AFFINE, name=name)
    files = {case.name: case for case in find_cases(data)}
    rows = [
        _write(output, files["ann"], [LARGE]),
        _write(output, files["bob"], [LARGE, SMALL], candidate=True),
        _write(output, files["cyd"], [LARGE], warning=WARNING),
        failed("dan", "no T1CE image"),
    ]
    write_rows(rows, output / TABLE)
    content = {"labels": "brats2018", "flips": False, "weights": "starter", "digest": "c0ffee"}
    settings = {**content, "part": "1/1", "cases_digest": "", "data": str(data)}
    (output / SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
    return data, output


def _write(output: Path, files, boxes, *, candidate: bool = False, warning: str = "") -> CohortRow:
    folder, name = ResultsFolder(output), files.name
    labels = np.zeros(SHAPE, np.uint8)
    for box in boxes:
        labels[box] = 4
    nib.save(nib.Nifti1Image(labels, AFFINE), folder.mask(name))
    mask = read_stored_mask(folder.mask(name), name, "brats2018")
    lesions = [replace(lesion, mean_probability=0.9) for lesion in find_lesions(mask)]
    offered = [min(lesions, key=lambda lesion: lesion.mm3)] if candidate else []
    second = [replace(x, id=9, list_name=LesionList.SECOND_LOOK, score=0.4) for x in offered]
    write_csv([*lesions, *second], folder.lesions(name))
    warnings = (warning,) if warning else ()
    sizes, digests = sizes_of_images(files), sha256_of_images(files)
    record = CohortCaseRecord(
        "starter", "c0ffee", "cpu", "torch", 1.0, "0.1", (), warnings, sizes, digests
    )
    record.write(folder.record(name))
    numbers, dice = numbers_of(mask, lesions), EXPECTED_DICE[name]
    return CohortRow(
        name, "segmented", *numbers, version="0.1", warnings=warning, expected_dice_wt=dice
    )
