"""Candidates that were written beside a predicted mask, compared with the truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from smalltumor.data.masks.label_files import on_grid
from smalltumor.data.volumes.nifti import stem
from smalltumor.data.volumes.volume_files import read_volume
from smalltumor.errors import SmalltumorError
from smalltumor.evaluation.metrics.froc import CaseCandidates, case_candidates
from smalltumor.files.tables import read_table
from smalltumor.geometry.grid import Grid
from smalltumor.labels.lesion_list import LesionList
from smalltumor.labels.masks import Classes, region_mask
from smalltumor.labels.regions import Region

IMAGE_SUFFIX, TABLE_SUFFIX = "_candidates", "_lesions.csv"


def candidate_files(mask: Path) -> tuple[Path, Path] | None:
    """The image ``MASK_candidates`` and the table ``MASK_lesions`` beside a mask.

    None if either is missing.
    """
    name = stem(mask)
    image = mask.with_name(name + IMAGE_SUFFIX + mask.name[len(name) :])
    table = mask.with_name(name + TABLE_SUFFIX)
    return (image, table) if image.is_file() and table.is_file() else None


def candidates_beside(
    name: str, mask: Path, prediction: Classes, truth: Classes, grid: Grid
) -> CaseCandidates | None:
    """Compare the candidates beside a mask with the truth.

    Parameters
    ----------
    name : str
    mask : Path
        File of the prediction.
    prediction, truth : (i, j, k) uint8 array
        Tissue classes.
    grid : Grid
        Of both; the label image may have other axes.

    Returns
    -------
    CaseCandidates or None
        None if there are no files of candidates.

    Raises
    ------
    SmalltumorError
        If a file cannot be read, is on another grid, or the table lacks a candidate of the image.
    """
    files = candidate_files(mask)
    if files is None:
        return None
    image, table = files
    labels = np.asarray(on_grid(read_volume(image), grid, name).data)
    scores = _scores(table)
    missing = set(np.unique(labels).tolist()) - {0} - set(scores)
    if missing:
        raise SmalltumorError(f"{table} has no score of candidate {int(min(missing))} of {image}")
    et = Region.ET
    return case_candidates(
        name, region_mask(prediction, et), region_mask(truth, et), labels, scores
    )


def _scores(table: Path) -> Mapping[int, float]:
    rows = read_table(table, ("id", "list", "score"))
    try:
        return {
            int(row["id"]): float(row["score"])
            for row in rows
            if row["list"] == LesionList.SECOND_LOOK
        }
    except ValueError as error:
        raise SmalltumorError(f"{table} is damaged ({error})") from None
