"""The numbers of a follow-up as JSON and as a table of changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from smalltumor.data.identity.patients import patient_of
from smalltumor.files.atomic import write_text
from smalltumor.files.tables import Cell, joined, write_table
from smalltumor.follow_up import (
    BASIS,
    RULE,
    UNKNOWN,
    Category,
    FollowUp,
    LesionChange,
    ScanRegistration,
)
from smalltumor.measures import LesionMeasures
from smalltumor.report.details import ReportDetails, image_warnings
from smalltumor.report.report_json import as_json

FORMAT = "smalltumor follow-up 2"
"""Name and version of the format; raise the number when a key changes its meaning."""


@dataclass(frozen=True)
class ChangeValues:
    """The values of a change as JSON and the table have them.

    Diameters, their slice and whether there is a cavity are those of the largest lesion, side and
    slices those of its centre.
    """

    change: str
    small: bool
    earlier_lesions: list[int]
    current_lesions: list[int]
    earlier_mm3: float | None
    current_mm3: float | None
    relative: float | None
    earlier_axial_mm: float | None
    earlier_axial_perpendicular_mm: float | None
    earlier_diameters_slice: int | None
    earlier_has_cavity: bool | None
    current_axial_mm: float | None
    current_axial_perpendicular_mm: float | None
    current_diameters_slice: int | None
    current_has_cavity: bool | None
    side: str | None
    earlier_axial_slice: int | None
    current_axial_slice: int | None
    beside_mm: float | None
    shown_earlier: float
    shown_current: float
    bright_earlier: bool
    bright_current: bool


CHANGE_COLUMNS = tuple(field.name for field in fields(ChangeValues))


def follow_up_json(follow_up: FollowUp, details: ReportDetails) -> dict[str, Any]:
    """Every number of a follow-up as plain dicts, lists and numbers; None is not measured."""
    response, category = follow_up.response, follow_up.response.category
    return {
        "format": FORMAT,
        "research_only": True,
        "scans": [
            as_json(
                scan.measures,
                ReportDetails(
                    patient=patient_of(scan.case.name),
                    scan_date=scan.date,
                    mask=scan.mask,
                    model=details.model or scan.model,
                    reviewer=details.reviewer,
                    warnings=image_warnings(
                        scan.case, of_network=bool(details.model or scan.model)
                    ),
                    made_by=scan.made_by,
                ),
            )
            for scan in follow_up.scans
        ],
        "registrations": [_registration(found) for found in follow_up.registrations],
        "changes": None
        if follow_up.not_compared
        else [asdict(_values(change)) for change in follow_up.changes],
        "response": {
            "category": None if category is Category.NOT_EVALUABLE else category.value,
            "reasons": list(response.reasons),
            "sums_mm2": list(response.sums_mm2),
            "rule": RULE,
            "basis": BASIS,
            "not_known": UNKNOWN,
        },
        "warnings": list(details.warnings),
    }


def write_follow_up_json(
    follow_up: FollowUp, details: ReportDetails, path: Path, *, overwrite: bool = False
) -> None:
    """Write `follow_up_json` to a file, whole or not at all; raises `OutputError`."""
    content = json.dumps(follow_up_json(follow_up, details), indent=1, allow_nan=False)
    write_text(path, content + "\n", overwrite=overwrite)


def write_changes(
    follow_up: FollowUp, details: ReportDetails, path: Path, *, overwrite: bool = False
) -> None:
    """Write the table of changes as a CSV file, whole or not at all; raises `OutputError`.

    The warnings of the follow-up stand in each row.
    """
    warnings = joined(details.warnings)
    rows: list[list[Cell]] = []
    for change in follow_up.changes:
        row = asdict(_values(change))
        row |= {
            name: " ".join(map(str, row[name])) for name in ("earlier_lesions", "current_lesions")
        }
        rows.append([*row.values(), warnings])
    write_table(path, (*CHANGE_COLUMNS, "warnings"), rows, overwrite=overwrite)


def _values(change: LesionChange) -> ChangeValues:
    lesion = (change.current or change.earlier)[0].lesion
    earlier, current = _diameters(change.earlier), _diameters(change.current)
    return ChangeValues(
        change=change.kind.value,
        small=change.is_small,
        earlier_lesions=[each.lesion.id for each in change.earlier],
        current_lesions=[each.lesion.id for each in change.current],
        earlier_mm3=change.earlier_mm3,
        current_mm3=change.current_mm3,
        relative=change.relative,
        earlier_axial_mm=earlier.longest_mm,
        earlier_axial_perpendicular_mm=earlier.perpendicular_mm,
        earlier_diameters_slice=earlier.slice_number,
        earlier_has_cavity=earlier.has_cavity,
        current_axial_mm=current.longest_mm,
        current_axial_perpendicular_mm=current.perpendicular_mm,
        current_diameters_slice=current.slice_number,
        current_has_cavity=current.has_cavity,
        side=None if lesion.side is None else lesion.side.value,
        earlier_axial_slice=_axial_slice(change.earlier),
        current_axial_slice=_axial_slice(change.current),
        beside_mm=change.beside_mm,
        shown_earlier=change.shown_earlier,
        shown_current=change.shown_current,
        bright_earlier=change.bright_earlier,
        bright_current=change.bright_current,
    )


def _axial_slice(lesions: Sequence[LesionMeasures]) -> int | None:
    """The axial slice of the centre of the largest lesion."""
    slices = lesions[0].lesion.slices if lesions else None
    return slices and slices[0]


class _Diameters(NamedTuple):
    """Both axial diameters in mm, their slice, and whether a cavity is left out."""

    longest_mm: float | None = None
    perpendicular_mm: float | None = None
    slice_number: int | None = None
    has_cavity: bool | None = None


def _diameters(lesions: Sequence[LesionMeasures]) -> _Diameters:
    """The diameters of the largest lesion."""
    axial = lesions[0].lesion.axial if lesions else None
    if axial is None:
        return _Diameters()
    number = lesions[0].lesion.diameters_slice
    return _Diameters(axial.longest_mm, axial.perpendicular_mm, number, axial.has_cavity)


def _registration(found: ScanRegistration) -> dict[str, Any]:
    return {
        "first_to_scan_ras": found.matrix.tolist(),
        "similarity": found.similarity,
        "brain_dice": found.brain_dice,
    }
