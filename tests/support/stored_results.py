"""Results of a cohort with stored candidates, written as a run writes them, without a network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import nibabel as nib
from second_look_cases import Spot, case_with, output_for
from smalltumor.cohort.results.records import CohortCaseRecord, sha256_of_images, sizes_of_images
from smalltumor.cohort.results.results_folder import SETTINGS, TABLE, ResultsFolder
from smalltumor.cohort.results.rows import CohortRow, numbers_of
from smalltumor.cohort.results.stored_mask import digest_of_file
from smalltumor.cohort.results.tables import write_rows
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.lesions import write_csv
from smalltumor.second_look import label_image, load_parameters
from smalltumor.second_look.second_look import second_look


def write_results(folder: Path, patients: Mapping[str, Sequence[Spot]]) -> Path:
    """Write cases and their results with candidates; gives the folder of results."""
    data, output = folder / "data", folder / "out"
    output.mkdir()
    for name, spots in patients.items():
        (data / name).mkdir(parents=True)
        case = case_with(*spots)
        for modality, values in case.volumes.items():
            image = nib.Nifti1Image(values, case.grid.affine)
            nib.save(image, data / name / f"{name}_{modality}.nii.gz")
    rows = [_write(output, files, patients[files.name]) for files in find_cases(data)]
    write_rows(rows, output / TABLE)
    content = {"labels": "brats2018", "flips": False, "weights": "starter"}
    settings = {
        **content,
        "digest": load_parameters().digest,
        "part": "1/1",
        "cases_digest": "",
        "data": str(data),
    }
    (output / SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
    return output


def _write(output: Path, files, spots: Sequence[Spot]) -> CohortRow:
    folder, name, case = ResultsFolder(output), files.name, case_with(*spots)
    segmented = Segmentation.from_probabilities(case, output_for(case, *spots))
    result = replace(segmented, name=name)
    found, candidates = second_look(case, result)
    write_volume(folder.candidates(name), label_image(candidates, case.grid), case.grid, None)
    write_csv([*found, *candidates], folder.lesions(name))
    sizes, digests = sizes_of_images(files), sha256_of_images(files)
    record = CohortCaseRecord(
        *("starter", load_parameters().digest, "cpu", "torch", 1.0, "0.1"),
        images=sizes,
        digests=digests,
        candidates=digest_of_file(folder.candidates(name)),
    )
    record.write(folder.record(name))
    write_segmentation(result, folder.mask(name), scheme="brats2018")
    numbers, digest = numbers_of(result, found), record.digest
    return CohortRow(name, "segmented", *numbers, digest=digest, version="0.1")
