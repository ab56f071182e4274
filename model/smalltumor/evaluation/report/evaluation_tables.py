"""The tables that `smalltumor evaluate` has written, read back as one row for each case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from smalltumor.data.identity.patients import patient_of
from smalltumor.errors import SmalltumorError
from smalltumor.evaluation.metrics.components import (
    MIN_COMPONENT_VOXELS,
)
from smalltumor.evaluation.report.report_files import CASES, COMPONENTS
from smalltumor.evaluation.summaries.case_rows import CaseRow, optional_float
from smalltumor.files.tables import read_table
from smalltumor.labels.regions import Region
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS

_CASE_COLUMNS = ("case", "region", "dice", "tpr", "false_ml", "truth_voxels", "predicted_voxels")
_COMPONENT_COLUMNS = ("case", "region", "voxels", "found")

Cells = Mapping[str, str]


def is_evaluation(folder: Path) -> bool:
    """Whether a folder holds what `smalltumor evaluate -o` writes."""
    return (folder / CASES).is_file() and (folder / COMPONENTS).is_file()


def read_evaluation(folder: Path) -> list[CaseRow]:
    """Read ``cases.csv`` and ``components.csv``, which do not count false components by size.

    Raises
    ------
    SmalltumorError
        If a file cannot be read or holds another table.
    """
    cases: dict[str, dict[str, Cells]] = {}
    components: dict[str, list[Cells]] = {}
    try:
        for cells in read_table(folder / CASES, _CASE_COLUMNS):
            cases.setdefault(cells["case"], {})[cells["region"]] = cells
        for cells in read_table(folder / COMPONENTS, _COMPONENT_COLUMNS):
            if cells["region"] == Region.ET:
                components.setdefault(cells["case"], []).append(cells)
        return [_row(name, by, components.get(name, ())) for name, by in cases.items()]
    except (KeyError, ValueError) as error:
        raise SmalltumorError(f"the tables in {folder} are damaged ({error!r})") from error


def _row(name: str, by_region: Mapping[str, Cells], components: Iterable[Cells]) -> CaseRow:
    et, tc, wt = (by_region[region] for region in Region)
    small = [
        cells
        for cells in components
        if MIN_COMPONENT_VOXELS <= int(cells["voxels"]) < SMALL_LESION_VOXELS
    ]
    return CaseRow(
        case=name,
        weights="",
        et_dice=float(et["dice"]),
        tc_dice=optional_float(tc["dice"]),
        wt_dice=optional_float(wt["dice"]),
        et_tpr=optional_float(et["tpr"]),
        tc_tpr=optional_float(tc["tpr"]),
        wt_tpr=optional_float(wt["tpr"]),
        et_false_ml=float(et["false_ml"]),
        tc_false_ml=optional_float(tc["false_ml"]),
        wt_false_ml=optional_float(wt["false_ml"]),
        et_voxels=int(et["truth_voxels"]),
        et_predicted_voxels=int(et["predicted_voxels"]),
        small_components=len(small),
        small_found=sum(cells["found"] == "true" for cells in small),
        false_components=None,
        patient=patient_of(name),
    )
