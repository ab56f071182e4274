"""The numbers of a case as one flat row, with names that REDCap takes for its fields.

REDCap imports a CSV file whose first column is the record's ID; the names of fields have lower-case
letters, digits and underscores, at most 26 of them for its other tools.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized
from pathlib import Path

from smalltumor.files.tables import Cell, joined, write_table
from smalltumor.labels.regions import Region
from smalltumor.measures import CaseMeasures, LesionMeasures, RegionMeasures
from smalltumor.report.details import ReportDetails
from smalltumor.version import software_version

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def redcap_row(measures: CaseMeasures, details: ReportDetails) -> dict[str, Cell]:
    """The cells of a case by field; None is not measured."""
    sums = measures.sums

    def number(lesions: Sized) -> int | None:
        return len(lesions) if measures.tells_lesions else None

    row: dict[str, Cell] = {
        "record_id": measures.name,
        "patient": details.patient or None,
        "scan_date": details.scan_date or None,
        "mask": details.mask or None,
        "model": details.model or None,
        "reviewer": details.reviewer or None,
        "software_version": software_version() or None,
    }
    row |= {f"{name}_ml": ml for name, ml in measures.volumes_ml.items()}
    for region in Region:
        row |= _region_cells(region, measures.regions[region])
    row |= {
        "lesions": number(measures.lesions),
        "small_lesions": number(measures.small_lesions),
        "small_below_mm3": measures.threshold,
        "measurable_lesions": number(measures.measurable),
        "cavity_lesions": number(tuple(filter(_has_cavity, measures.lesions))),
        "target_lesions": None if sums is None else len(sums.lesions),
        "sum_product_mm2": None if sums is None else sums.product_mm2,
        "sum_axial_mm": None if sums is None else sums.longest_mm,
        "sum_ml": None if sums is None else sums.ml,
        "foci": measures.foci,
        "foci_distance_mm": measures.foci_distance_mm,
        "warnings": joined(details.warnings) or None,
    }
    return row


def _has_cavity(each: LesionMeasures) -> bool:
    return each.lesion.axial is not None and each.lesion.axial.has_cavity


def write_redcap(rows: Iterable[dict[str, Cell]], path: Path, *, overwrite: bool = False) -> None:
    """Write rows of `redcap_row` as a CSV file, whole or not at all.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or cannot be written.
    """
    listed = list(rows)
    rows_of_cells = [[_no_formula(cell) for cell in row.values()] for row in listed]
    write_table(path, list(listed[0]), rows_of_cells, overwrite=overwrite)


def _no_formula(cell: Cell) -> Cell:
    """A text that no spreadsheet takes for a formula: after an apostrophe if it begins as one."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _region_cells(region: Region, measures: RegionMeasures | None) -> dict[str, Cell]:
    names = (
        *("equivalent_mm", "axial_mm", "perpendicular_mm", "product_mm2", "diameters_slice"),
        *("has_cavity", "side", "midline_mm"),
    )
    cells: tuple[Cell, ...] = (None,) * len(names)
    if measures is not None:
        axial = measures.axial
        cells = (
            *(measures.equivalent_diameter_mm, axial.longest_mm),
            *(axial.perpendicular_mm, axial.product_mm2, axial.slice_number),
            int(axial.has_cavity),  # REDCap's yes and no
            *(None if measures.side is None else measures.side.value, measures.midline_mm),
        )
    return {f"{region.value}_{name}": cell for name, cell in zip(names, cells, strict=True)}
