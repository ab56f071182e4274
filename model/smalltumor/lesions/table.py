"""The lesion table: columns, order, CSV, and text for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from smalltumor.data.identity.visits import stated_visit
from smalltumor.files import tables
from smalltumor.files.tables import Cell
from smalltumor.labels.regions import REGION_NAMES
from smalltumor.labels.small_lesions import SMALL_LESION_MM3
from smalltumor.lesions.measure import Lesion
from smalltumor.text import pluralize, volume_text

_COLUMNS = (
    *("id", "region", "voxels", "mm3", "ml"),
    *("centroid_i", "centroid_j", "centroid_k", "centroid_r_mm", "centroid_a_mm", "centroid_s_mm"),
    *("box_i_start", "box_i_stop", "box_j_start", "box_j_stop", "box_k_start", "box_k_stop"),
    *("diameter_mm", "mean_probability", "max_probability", "small", "accepted"),
    *("side", "axial_slice", "coronal_slice", "sagittal_slice"),
)
_AXIAL_COLUMNS = (
    *("axial_diameter_mm", "axial_perpendicular_mm", "measurable", "diameters_slice"),
)
_LIST_COLUMNS = ("list", "score", "decided_by", "decided_at")
COLUMNS = (*_COLUMNS, *_AXIAL_COLUMNS, *_LIST_COLUMNS)
"""Columns of the CSV; voxel indices and slices count from 0, and boxes exclude their stop."""

_NOTHING: Mapping[str, Cell] = MappingProxyType({})


def lesion_row(lesion: Lesion) -> dict[str, Cell]:
    """A lesion as a row of the table: a cell for each of `COLUMNS`."""
    return {**_measured(lesion), **_axial(lesion), **_listed(lesion)}


def _measured(lesion: Lesion) -> dict[str, Cell]:
    bounds = [bound for span in lesion.bbox for bound in span]
    cells: tuple[Cell, ...] = (
        *(lesion.id, lesion.region.value, lesion.voxels, lesion.mm3, lesion.ml),
        *lesion.centroid_voxel,
        *lesion.centroid_ras_mm,
        *bounds,
        *(lesion.diameter_mm, lesion.mean_probability, lesion.max_probability),
        *(lesion.is_small, lesion.accepted),
        None if lesion.side is None else lesion.side.value,
        *(lesion.slices or (None, None, None)),
    )
    return dict(zip(_COLUMNS, cells, strict=True))


def _axial(lesion: Lesion) -> dict[str, Cell]:
    axial = lesion.axial
    cells: tuple[Cell, ...] = (None,) * len(_AXIAL_COLUMNS)
    if axial is not None:
        cells = axial.longest_mm, axial.perpendicular_mm, axial.measurable, lesion.diameters_slice
    return dict(zip(_AXIAL_COLUMNS, cells, strict=True))


def _listed(lesion: Lesion) -> dict[str, Cell]:
    cells = lesion.list_name.value, lesion.score, lesion.decided_by, lesion.decided_at
    return dict(zip(_LIST_COLUMNS, cells, strict=True))


def sort_lesions(
    lesions: Iterable[Lesion], column: str = "voxels", *, descending: bool = False
) -> list[Lesion]:
    """Sort by one of `COLUMNS`; lesions without a value come last in either direction.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    if column not in COLUMNS:
        raise ValueError(f"no column {column!r}; there are {', '.join(COLUMNS)}")
    groups = {**dict.fromkeys(_AXIAL_COLUMNS, _axial), **dict.fromkeys(_LIST_COLUMNS, _listed)}
    cells = groups.get(column, _measured)
    rows = [(cells(lesion)[column], lesion) for lesion in lesions]
    known = [row for row in rows if row[0] is not None]
    known.sort(key=lambda row: row[0], reverse=descending)  # type: ignore[arg-type, return-value]
    return [row[1] for row in known] + [row[1] for row in rows if row[0] is None]


def case_cells(name: str, folder: Path | None) -> dict[str, Cell]:
    """What tells the rows of a case from those of others: ``case`` and ``visit``.

    Parameters
    ----------
    name : str
        Of the case.
    folder : Path or None
        Of its images.
    """
    return {"case": name, "visit": stated_visit(name, folder) or None}


def csv_text(
    lesions: Iterable[Lesion], delimiter: str = ",", of_case: Mapping[str, Cell] = _NOTHING
) -> str:
    """Format the table as delimiter-separated values with a header; see `write_csv`."""
    return tables.csv_text((*of_case, *COLUMNS), _rows(lesions, of_case), delimiter)


def write_csv(
    lesions: Iterable[Lesion],
    path: str | Path,
    of_case: Mapping[str, Cell] = _NOTHING,
    *,
    overwrite: bool = False,
) -> None:
    """Write the table as a CSV file, whole or not at all.

    Parameters
    ----------
    lesions : iterable of Lesion
    path : str or Path
    of_case : mapping of str to cell
        Columns before those of the lesions, such as `case_cells`.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or cannot be written.
    """
    columns = (*of_case, *COLUMNS)
    tables.write_table(Path(path), columns, _rows(lesions, of_case), overwrite=overwrite)


def _rows(lesions: Iterable[Lesion], of_case: Mapping[str, Cell]) -> list[tuple[Cell, ...]]:
    return [(*of_case.values(), *lesion_row(lesion).values()) for lesion in lesions]


def table_text(lesions: Sequence[Lesion], threshold: float = SMALL_LESION_MM3) -> str:
    """Format the table for the terminal: a line for each lesion, small ones with an asterisk.

    Parameters
    ----------
    lesions : sequence of Lesion
    threshold : float
        Volume in mm3 below which they were found small.
    """
    if not lesions:
        return "no lesions"
    head = ("id", "voxels", "ml", "diameter mm", "centre R A S mm", "centre i j k", "p mean", "")
    rows = [head, *(_text_row(lesion) for lesion in lesions)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    small = sum(lesion.is_small for lesion in lesions)
    name = REGION_NAMES[lesions[0].region]
    found = f"{pluralize(len(lesions), 'component')} of {name}"
    lines.append(f"{found}, {small} small (*, below {threshold:g} mm3)")
    return "\n".join(line.rstrip() for line in lines)


def _text_row(lesion: Lesion) -> tuple[str, ...]:
    mean = lesion.mean_probability
    return (
        str(lesion.id),
        str(lesion.voxels),
        volume_text(lesion.ml),
        f"{lesion.diameter_mm:.1f}",
        " ".join(f"{v:.1f}" for v in lesion.centroid_ras_mm),
        " ".join(f"{v:.1f}" for v in lesion.centroid_voxel),
        "-" if mean is None else f"{mean:.2f}",
        "* small" if lesion.is_small else "",
    )
