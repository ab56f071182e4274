"""The scores of a case in one row, as they are kept for tables over many cases."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy.typing as npt

from smalltumor.data.identity.patients import patient_of
from smalltumor.errors import SmalltumorError
from smalltumor.evaluation.evaluate import require_same_shape
from smalltumor.evaluation.metrics.components import (
    MIN_COMPONENT_VOXELS,
    count_false_components,
    score_components,
)
from smalltumor.evaluation.metrics.voxelwise import Overlap, overlap_of
from smalltumor.evaluation.summaries.summary import size_class
from smalltumor.files.tables import read_table, whole_number, write_table
from smalltumor.labels.masks import Classes, region_mask
from smalltumor.labels.regions import Region
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS


@dataclass(frozen=True)
class CaseRow:
    """Scores of one case.

    Numbers are rounded to the seven digits that the file holds, so that a table that was read
    gives the same summary as one that was just computed.

    Parameters
    ----------
    case : str
    weights : str
        First digits of the digest of the weights; empty if they are not known.
    et_dice, tc_dice, wt_dice : float or None
        See `smalltumor.evaluation.metrics.voxelwise`. A number of TC or WT is None if the region
        was not scored, because prediction or truth does not tell it.
    et_tpr, tc_tpr, wt_tpr : float or None
        Sensitivity; also None if the truth has none of the region.
    et_false_ml, tc_false_ml, wt_false_ml : float or None
        Volume predicted outside the truth, ml.
    et_voxels, et_predicted_voxels : int
        Enhancing tumour of the truth and of the prediction.
    small_components, small_found : int
        Components of enhancing tumour in the truth of at least `MIN_COMPONENT_VOXELS` and fewer
        than `SMALL_LESION_VOXELS` voxels, and those of which any voxel was predicted.
    false_components : int or None
        Predicted components of enhancing tumour, of at least `MIN_COMPONENT_VOXELS` voxels, that
        share no voxel with the truth; None if not known.
    patient : str
        Whose scan it is; a patient may have several.
    inputs : str
        First digits of the digest of images, truth and code that the scores come from, apart from
        the weights; empty if it is not known.
    """

    case: str
    weights: str
    et_dice: float
    tc_dice: float | None
    wt_dice: float | None
    et_tpr: float | None
    tc_tpr: float | None
    wt_tpr: float | None
    et_false_ml: float
    tc_false_ml: float | None
    wt_false_ml: float | None
    et_voxels: int
    et_predicted_voxels: int
    small_components: int
    small_found: int
    false_components: int | None
    patient: str
    inputs: str = ""


COLUMNS = tuple(field.name for field in fields(CaseRow))


def case_row(
    name: str,
    weights: str,
    prediction: Classes,
    truth: Classes,
    voxel: npt.ArrayLike = (1.0, 1.0, 1.0),
    *,
    regions: Collection[Region] = tuple(Region),
) -> CaseRow:
    """Score a case.

    Parameters
    ----------
    name, weights : str
        See `CaseRow`.
    prediction, truth : (i, j, k) uint8 array
        Tissue classes on one grid.
    voxel : three floats, or (3, 3) array
        Voxel size along i, j, k in mm, or the edges of a voxel, see `Voxel.of`.
    regions : collection of Region
        ET, and those of TC and WT that prediction and truth tell; the others are not scored.

    Returns
    -------
    CaseRow
        Of the patient whom the name of the case tells.

    Raises
    ------
    GridMismatchError
        If the shapes differ.
    """
    require_same_shape(name, prediction, truth)
    masks = {r: (region_mask(prediction, r), region_mask(truth, r)) for r in regions}
    overlaps = {region: overlap_of(*masks[region], voxel) for region in masks}
    tc_dice, tc_tpr, tc_false_ml = _numbers(overlaps.get(Region.TC))
    wt_dice, wt_tpr, wt_false_ml = _numbers(overlaps.get(Region.WT))
    et, enhancing = overlaps[Region.ET], masks[Region.ET]
    small = size_class(score_components(*enhancing), MIN_COMPONENT_VOXELS, SMALL_LESION_VOXELS)
    return CaseRow(
        case=name,
        weights=weights,
        et_dice=_rounded(et.dice),
        tc_dice=tc_dice,
        wt_dice=wt_dice,
        et_tpr=None if et.tpr is None else _rounded(et.tpr),
        tc_tpr=tc_tpr,
        wt_tpr=wt_tpr,
        et_false_ml=_rounded(et.false_ml),
        tc_false_ml=tc_false_ml,
        wt_false_ml=wt_false_ml,
        et_voxels=et.truth_voxels,
        et_predicted_voxels=et.predicted_voxels,
        small_components=small.components,
        small_found=small.found,
        false_components=count_false_components(*enhancing, MIN_COMPONENT_VOXELS),
        patient=patient_of(name),
    )


def _numbers(overlap: Overlap | None) -> tuple[float | None, float | None, float | None]:
    """Dice, sensitivity and false volume of a region; None if it was not scored."""
    if overlap is None:
        return None, None, None
    tpr = None if overlap.tpr is None else _rounded(overlap.tpr)
    return _rounded(overlap.dice), tpr, _rounded(overlap.false_ml)


def _rounded(value: float) -> float:
    return float(f"{value:.7g}")


def write_rows(rows: Iterable[CaseRow], path: Path) -> None:
    """Write rows as a CSV file, sorted by case; an existing file is replaced.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    ordered = sorted(rows, key=lambda row: row.case)
    write_table(path, COLUMNS, [astuple(row) for row in ordered], overwrite=True)


def read_rows(path: Path) -> list[CaseRow]:
    """The inverse of `write_rows`.

    Raises
    ------
    SmalltumorError
        If the file cannot be read or holds another table.
    """
    try:
        return [_parsed(cells) for cells in read_table(path, COLUMNS)]
    except ValueError as error:
        raise SmalltumorError(f"{path} is damaged ({error})") from error


def _parsed(cells: Mapping[str, str]) -> CaseRow:
    count = cells["false_components"]
    return CaseRow(
        case=cells["case"],
        weights=cells["weights"],
        et_dice=float(cells["et_dice"]),
        tc_dice=optional_float(cells["tc_dice"]),
        wt_dice=optional_float(cells["wt_dice"]),
        et_tpr=optional_float(cells["et_tpr"]),
        tc_tpr=optional_float(cells["tc_tpr"]),
        wt_tpr=optional_float(cells["wt_tpr"]),
        et_false_ml=float(cells["et_false_ml"]),
        tc_false_ml=optional_float(cells["tc_false_ml"]),
        wt_false_ml=optional_float(cells["wt_false_ml"]),
        et_voxels=int(cells["et_voxels"]),
        et_predicted_voxels=int(cells["et_predicted_voxels"]),
        small_components=int(cells["small_components"]),
        small_found=int(cells["small_found"]),
        false_components=whole_number(count) if count else None,
        patient=cells["patient"],
        inputs=cells["inputs"],
    )


def optional_float(cell: str) -> float | None:
    """The number in a cell; None if the cell is empty."""
    return float(cell) if cell else None
