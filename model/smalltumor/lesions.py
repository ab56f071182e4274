"""The lesions of a segmentation: which are there, how large, where, and which are small."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.errors import GridMismatchError
from smalltumor.files.atomic import write_text
from smalltumor.labels.components import (
    Components,
    Integers,
    connected_components,
    largest_diameter,
)
from smalltumor.labels.masks import Mask, region_mask
from smalltumor.labels.regions import REGION_CLASSES, REGION_NAMES, SMALL_LESION_VOXELS, Region

if TYPE_CHECKING:
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.geometry.grid import Grid

Point = tuple[float, float, float]
Spans = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
Cell = int | float | str | bool | None
LookUp = Callable[[Integers], npt.NDArray[np.floating]]
"""Voxel indices (n, 3) to class probabilities (class, n)."""

COLUMNS = (
    *("id", "region", "voxels", "mm3", "ml"),
    *("centroid_i", "centroid_j", "centroid_k", "centroid_r_mm", "centroid_a_mm", "centroid_s_mm"),
    *("box_i_start", "box_i_stop", "box_j_start", "box_j_stop", "box_k_start", "box_k_stop"),
    *("diameter_mm", "mean_probability", "max_probability", "small", "accepted"),
)
"""Columns of the table, as in the CSV; boxes count from 0 and exclude their stop."""


@dataclass(frozen=True)
class Lesion:
    """One 26-connected component of a region.

    Parameters
    ----------
    id : int
        Its number in the label image, from 1 (the smallest) up.
    region : Region
    voxels : int
    mm3 : float
    centroid_voxel : (i, j, k)
        Mean voxel index on the source's grid, from 0.
    centroid_ras_mm : (r, a, s)
        The same point in patient space: mm to the right, front and top.
    box : three (start, stop) pairs
        Voxel indices, stop excluded.
    diameter_mm : float
        Largest distance between two outer voxel corners.
    mean_probability, max_probability : float or None
        Of the region, over the lesion's voxels; None where the network's output is not at hand.
    small : bool
        Fewer voxels than the threshold.
    accepted : bool or None
        By who reviewed it; None where nobody has.
    """

    id: int
    region: Region
    voxels: int
    mm3: float
    centroid_voxel: Point
    centroid_ras_mm: Point
    box: Spans
    diameter_mm: float
    mean_probability: float | None
    max_probability: float | None
    small: bool
    accepted: bool | None = None

    @property
    def ml(self) -> float:
        """Volume in millilitres."""
        return self.mm3 / 1000

    def cells(self) -> dict[str, Cell]:
        """The lesion as a row of the table: a value for each of `COLUMNS`."""
        bounds = [bound for span in self.box for bound in span]
        plain: tuple[Cell, ...] = (
            *(self.id, self.region.value, self.voxels, self.mm3, self.ml),
            *self.centroid_voxel,
            *self.centroid_ras_mm,
            *bounds,
            *(self.diameter_mm, self.mean_probability, self.max_probability),
            *(self.small, self.accepted),
        )
        return dict(zip(COLUMNS, plain, strict=True))


def find_lesions(
    source: Segmentation | npt.NDArray[np.integer] | Mask,
    grid: Grid | None = None,
    *,
    region: Region | str = Region.ET,
    threshold: int = SMALL_LESION_VOXELS,
    probabilities: npt.NDArray[np.floating] | None = None,
    sort_by: str = "voxels",
) -> list[Lesion]:
    """The lesions of a region, by default the largest last.

    Parameters
    ----------
    source : Segmentation, or (i, j, k) array
        An integer array holds tissue classes, a bool array is the region's mask itself.
    grid : Grid
        Where an array lies; a segmentation brings its own.
    region : Region or its name
    threshold : int
        Lesions with fewer voxels are small.
    probabilities : (4, i, j, k) float array, optional
        Class probabilities on the same grid; a segmentation that has them brings its own.
    sort_by : str
        One of `COLUMNS`, ascending; lesions without a value come last.

    Raises
    ------
    GridMismatchError
        If an array's shape is not its grid's.
    """
    region = Region(region)
    look_up = None if probabilities is None else _reader_of(probabilities)
    if not isinstance(source, np.ndarray):
        grid = source.grid
        if look_up is None and source.cropped is not None:
            look_up = source.cropped.at
        source = source.classes
    if grid is None:
        raise TypeError("find_lesions needs the grid that the array lies on")
    components = lesion_components(_mask(source, region), grid)
    found = measure_lesions(components, grid, region, threshold, look_up)
    return sort_lesions(found, sort_by)


def _mask(array: npt.NDArray[np.integer] | Mask, region: Region) -> Mask:
    if array.dtype == bool:
        return array.astype(bool, copy=False)
    return region_mask(array.astype(array.dtype, copy=False), region)


def lesion_components(mask: Mask, grid: Grid) -> Components:
    """The components of a region's mask; lesion `id` is number `id` in their label image.

    Raises
    ------
    GridMismatchError
        If the mask's shape is not the grid's.
    """
    if tuple(mask.shape) != tuple(grid.shape):
        raise GridMismatchError(
            f"the mask has shape {mask.shape} and its grid {tuple(grid.shape)}; "
            "give the grid the mask was made on"
        )
    return connected_components(mask)


def measure_lesions(
    components: Components,
    grid: Grid,
    region: Region,
    threshold: int = SMALL_LESION_VOXELS,
    look_up: LookUp | None = None,
) -> list[Lesion]:
    """Measure every component, in the order of their ids; arguments as `find_lesions`."""
    return [
        _measure(number, voxels, grid, region, threshold, look_up)
        for number, voxels in enumerate(components.voxels, start=1)
    ]


def _measure(
    number: int,
    voxels: Integers,
    grid: Grid,
    region: Region,
    threshold: int,
    look_up: LookUp | None,
) -> Lesion:
    centroid = voxels.mean(axis=0)
    first, last = voxels.min(axis=0), voxels.max(axis=0)
    mean = peak = None
    if look_up is not None:
        inside = look_up(voxels)[list(REGION_CLASSES[region])].sum(axis=0)
        inside = np.minimum(inside, 1.0)  # rounded shares may add up to a hair above one
        mean, peak = float(inside.mean()), float(inside.max())
    return Lesion(
        id=number,
        region=region,
        voxels=len(voxels),
        mm3=len(voxels) * grid.voxel_volume,
        centroid_voxel=_point(centroid),
        centroid_ras_mm=_point(grid.to_patient(centroid)),
        box=_spans(first, last + 1),
        diameter_mm=largest_diameter(voxels, grid.affine),
        mean_probability=mean,
        max_probability=peak,
        small=len(voxels) < threshold,
    )


def _reader_of(probabilities: npt.NDArray[np.floating]) -> LookUp:
    return lambda voxels: probabilities[:, voxels[:, 0], voxels[:, 1], voxels[:, 2]]


def _point(values: npt.NDArray[np.float64]) -> Point:
    i, j, k = (float(v) for v in values)
    return i, j, k


def _spans(start: Integers, stop: Integers) -> Spans:
    i, j, k = ((int(a), int(b)) for a, b in zip(start, stop, strict=True))
    return i, j, k


def sort_lesions(
    lesions: Iterable[Lesion], column: str = "voxels", *, descending: bool = False
) -> list[Lesion]:
    """Sort by one of `COLUMNS`; lesions without a value come last either way.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    if column not in COLUMNS:
        raise ValueError(f"no column {column!r}; there are {', '.join(COLUMNS)}")
    rows = [(lesion.cells()[column], lesion) for lesion in lesions]
    known = [row for row in rows if row[0] is not None]
    known.sort(key=lambda row: row[0], reverse=descending)  # type: ignore[arg-type, return-value]
    return [row[1] for row in known] + [row[1] for row in rows if row[0] is None]


def csv_text(lesions: Iterable[Lesion], delimiter: str = ",") -> str:
    """The table as separated values with a header; an unknown value is an empty cell."""
    page = io.StringIO()
    writer = csv.DictWriter(page, COLUMNS, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: _csv_cell(value) for name, value in row.cells().items()} for row in lesions
    )
    return page.getvalue()


def write_csv(lesions: Iterable[Lesion], path: str | Path, *, overwrite: bool = False) -> None:
    """Write the table as a CSV file, whole or not at all.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or cannot be written.
    """
    write_text(Path(path), csv_text(lesions), overwrite=overwrite)


def _csv_cell(value: Cell) -> Cell:
    if isinstance(value, bool):
        return str(value).lower()
    return round(value, 4) if isinstance(value, float) else value


def table_text(lesions: Sequence[Lesion]) -> str:
    """The table for people: one line per lesion, small ones marked with an asterisk."""
    if not lesions:
        return "no lesions"
    head = ("id", "voxels", "ml", "diameter mm", "centre R A S mm", "centre i j k", "p mean", "")
    rows = [head, *(_text_row(lesion) for lesion in lesions)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    small = sum(lesion.small for lesion in lesions)
    name = REGION_NAMES[lesions[0].region]
    lines.append(f"{len(lesions)} components of {name}, {small} small (*)")
    return "\n".join(line.rstrip() for line in lines)


def _text_row(lesion: Lesion) -> tuple[str, ...]:
    mean = lesion.mean_probability
    return (
        str(lesion.id),
        str(lesion.voxels),
        f"{lesion.ml:.3f}",
        f"{lesion.diameter_mm:.1f}",
        " ".join(f"{v:.1f}" for v in lesion.centroid_ras_mm),
        " ".join(f"{v:.1f}" for v in lesion.centroid_voxel),
        "-" if mean is None else f"{mean:.2f}",
        "* small" if lesion.small else "",
    )
