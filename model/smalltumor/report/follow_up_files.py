"""The numbers of a follow-up as JSON and as a table of changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smalltumor.data.identity.patients import patient_of
from smalltumor.files.atomic import write_text
from smalltumor.files.tables import Cell, joined, write_table
from smalltumor.follow_up import BASIS, RULE, UNKNOWN, FollowUp, LesionChange, ScanRegistration
from smalltumor.measures import LesionMeasures
from smalltumor.report.details import ReportDetails, image_warnings
from smalltumor.report.report_json import as_json

FORMAT = "smalltumor follow-up 2"
"""Name and version of the format; raise the number when a key changes its meaning."""

CHANGE_COLUMNS = (
    *(
        "change",
        "small",
        "earlier_lesions",
        "current_lesions",
        "earlier_mm3",
        "current_mm3",
        "relative",
    ),
    *(
        "earlier_axial_mm",
        "earlier_axial_perpendicular_mm",
        "earlier_diameters_slice",
        "earlier_has_cavity",
    ),
    *(
        "current_axial_mm",
        "current_axial_perpendicular_mm",
        "current_diameters_slice",
        "current_has_cavity",
    ),
    *("side", "earlier_axial_slice", "current_axial_slice", "beside_mm"),
    *("shown_earlier", "shown_current"),
)


def follow_up_json(follow_up: FollowUp, details: ReportDetails) -> dict[str, Any]:
    """Every number of a follow-up as plain dicts, lists and numbers; None is not measured."""
    response = follow_up.response
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
        "changes": [dict(_change(change)) for change in follow_up.changes],
        "response": {
            "category": response.category and response.category.value,
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
        row = _change(change)
        row |= {
            name: " ".join(map(str, row[name])) for name in ("earlier_lesions", "current_lesions")
        }
        rows.append([*(row[name] for name in CHANGE_COLUMNS), warnings])
    write_table(path, (*CHANGE_COLUMNS, "warnings"), rows, overwrite=overwrite)


def _change(change: LesionChange) -> dict[str, Any]:
    """Values by `CHANGE_COLUMNS`; diameters are those of the largest lesion."""
    lesion = (change.current or change.earlier)[0].lesion
    values = (
        *(change.change.value, change.is_small),
        [each.lesion.id for each in change.earlier],
        [each.lesion.id for each in change.current],
        *(change.earlier_mm3, change.current_mm3, change.relative),
        *_diameters(change.earlier),
        *_diameters(change.current),
        None if lesion.side is None else lesion.side.value,
        *(_axial_slice(change.earlier), _axial_slice(change.current), change.beside_mm),
        *(change.shown_earlier, change.shown_current),
    )
    return dict(zip(CHANGE_COLUMNS, values, strict=True))


def _axial_slice(lesions: Sequence[LesionMeasures]) -> int | None:
    """The axial slice of the centre of the largest lesion."""
    slices = lesions[0].lesion.slices if lesions else None
    return slices and slices[0]


def _diameters(
    lesions: Sequence[LesionMeasures],
) -> tuple[float | None, float | None, int | None, bool | None]:
    """Both diameters of the largest lesion, their slice, and whether a cavity is left out."""
    axial = lesions[0].lesion.axial if lesions else None
    if axial is None:
        return None, None, None, None
    number = lesions[0].lesion.diameters_slice
    return axial.longest_mm, axial.perpendicular_mm, number, axial.has_cavity


def _registration(found: ScanRegistration) -> dict[str, Any]:
    return {
        "first_to_scan_ras": found.matrix.tolist(),
        "similarity": found.similarity,
        "brain_dice": found.brain_dice,
    }
