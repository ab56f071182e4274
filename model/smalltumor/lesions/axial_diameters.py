"""The two axial diameters of a lesion, as radiologists measure them by hand (RANO)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.voxel import Voxel
from smalltumor.labels.components import Integers
from smalltumor.labels.masks import Mask
from smalltumor.lesions.location import upright_slices
from smalltumor.lesions.outline import (
    are_within,
    go_far,
    outline_corners,
    outline_sides,
    widest_across,
)
from smalltumor.lesions.solid_part import filled_in_slices, solid_part, without_cavities

if TYPE_CHECKING:
    from smalltumor.geometry.grid import Grid

Floats = npt.NDArray[np.float64]

MEASURABLE_MM = 10.0
"""Least length of both diameters of a measurable lesion (RANO: Wen et al. 2010, J Clin Oncol
28:1963)."""

MEASURABLE_SLICES = 2
"""Least number of slices on which a measurable lesion is seen (the same)."""

_THICK_MM, _THICKNESSES = 5.0, 2.0
"""In slices thicker than the first, the least length of both diameters is this many thicknesses
(RANO: Wen et al. 2010, J Clin Oncol 28:1963)."""

_GAP = float(np.sqrt(2))
"""Voxels by which a line may leave the lesion between its ends, the diagonal of one: outlines of
voxels are jagged."""

_MAX_ENDS = 1500
"""Ends of lines that are tried in a section; of a longer outline, evenly spread ones."""

_FIRST_LINES, _MAX_LINES = 1024, 8192
"""Lines that are tried in a section: the longest, and the others that do not go far from the
lesion. Of more, as in a mask of noise, evenly spread ones."""

_DECIMALS = 4
"""Of lengths in mm that are compared: affines are stored in single precision, and a voxel of 1 mm
reads as 0.9999999."""

_LINES_AT_ONCE, _LINES_LOOKED_AT = 128, 2**16
"""Lines that are tried exactly, and looked at coarsely, in one array: they bound its memory."""

_EQUAL_MM = 10.0**-_DECIMALS
_MAX_EQUAL = 32
"""Lines of a section that are equally long, and crossed by others."""


@dataclass(frozen=True)
class AxialDiameters:
    """The longest diameter of a lesion in an axial slice, and the longest one perpendicular to it.

    Parameters
    ----------
    longest_mm : float
        Length of the longest line within the lesion in any axial slice, from edge to edge.
    perpendicular_mm : float
        The longest line within the lesion in the same slice that crosses it at a right angle; of a
        rim no more than its thickness.
    slices : int
        Number of axial slices with what was measured.
    least_mm : float
        Least length of both diameters of a measurable lesion: `MEASURABLE_MM`, or twice the
        thickness of slices of more than 5 mm.
    slice_index : int or None
        Index of their slice on the grid, along its axis nearest to the long axis of the body.
    slice_number : int or None
        The slice that they lie in, from 0, as napari shows it for this plugin's layers; see
        `location.upright_slices`. Of several with equal diameters, the first that was found.
    has_cavity : bool
        Whether the lesion encloses a space of at least `solid_part.CAVITY_MM` in a slice, which was
        left out. The diameters are then those of its solid part.
    is_rim : bool
        Whether no ball of `least_mm` fits into what is left of a lesion with a cavity. The
        diameters are then those of its thickest part.
    """

    longest_mm: float
    perpendicular_mm: float
    slices: int
    least_mm: float = MEASURABLE_MM
    slice_index: int | None = None
    slice_number: int | None = None
    has_cavity: bool = False
    is_rim: bool = False

    @property
    def product_mm2(self) -> float:
        """Bidimensional product in mm2."""
        return self.longest_mm * self.perpendicular_mm

    @property
    def measurable(self) -> bool:
        """Whether both diameters reach `least_mm`, on at least `MEASURABLE_SLICES` slices.

        A rim around a cavity is not measurable.
        """
        long_enough = round(self.perpendicular_mm, _DECIMALS) >= self.least_mm
        return long_enough and self.slices >= MEASURABLE_SLICES and not self.is_rim


def axial_diameters(voxels: Integers, grid: Grid, *, of_outline: bool = False) -> AxialDiameters:
    """Measure a lesion in its axial slices.

    Axial slices are those of the grid that are nearest to the axial plane: in an oblique scan the
    slices as they were acquired, as on a workstation.

    Parameters
    ----------
    voxels : (n, 3) int array
        Voxel indices of the lesion.
    grid : Grid
    of_outline : bool
        Measure the lesion with all that it encloses in a slice, also cavities.
    """
    axis = next(n for n, code in enumerate(grid.axcodes) if code in "SI")
    in_plane = [n for n in range(3) if n != axis]
    first = voxels.min(axis=0) - 1
    mask = np.zeros(voxels.max(axis=0) - first + 2, dtype=bool)
    mask[tuple((voxels - first).T)] = True
    mask = mask.transpose([*in_plane, axis])
    least = _least_mm(float(grid.voxel.thickness[axis]))
    voxel_shape = _voxel(grid, (*in_plane, axis))
    tissue = None if of_outline else without_cavities(mask, voxel_shape)
    measured, rim_mm = (
        (filled_in_slices(mask), None) if tissue is None else solid_part(tissue, voxel_shape, least)
    )

    to_mm = _plane_to_mm(grid.affine[:3, in_plane])
    numbers = np.flatnonzero(measured.any(axis=(0, 1)))
    sections = [_Section(measured[..., n], to_mm) for n in numbers]
    longest, across, section = _largest(sections)
    if across < _EQUAL_MM:  # the line passes between voxels, beside the outline of each
        longest, across, section = _largest(sections, crossed=True)
    if rim_mm is not None:
        across = min(across, rim_mm)
    voxel = voxels[0].copy()
    voxel[axis] = numbers[section] + first[axis]
    number, _, _ = upright_slices(grid, voxel)
    return AxialDiameters(
        longest_mm=longest,
        perpendicular_mm=across,
        slices=len(sections),
        least_mm=least,
        slice_index=int(voxel[axis]),
        slice_number=number,
        has_cavity=tissue is not None,
        is_rim=rim_mm is not None,
    )


def _largest(sections: Sequence[_Section], *, crossed: bool = False) -> tuple[float, float, int]:
    """The two diameters in mm and the number of their section.

    Of lines that are equally long, as in a symmetrical lesion, the one with the longest across it.
    With `crossed`, only lines that another one crosses.
    """
    lines: list[tuple[float, Floats, int]] = []
    longest = 0.0
    for n in sorted(range(len(sections)), key=lambda n: sections[n].extent, reverse=True):
        if sections[n].extent < longest - _EQUAL_MM:
            break
        found = sections[n].longest_lines(at_least=longest - _EQUAL_MM, crossed=crossed)
        lines += [(length, ends, n) for length, ends in found]
        longest = max([longest, *(length for length, _ in found)])
    pairs = [
        (length, sections[n].widest_across(ends), n)
        for length, ends, n in lines
        if length >= longest - _EQUAL_MM
    ]
    length, across, n = max(pairs, key=lambda each: each[1])
    # Both are lines within the lesion. Lines to the corners of its outline can be shorter than one
    # between two sides if the lesion is not convex.
    return max(length, across), min(length, across), n


def _voxel(grid: Grid, axes: Sequence[int]) -> Voxel:
    """The voxel of a grid with its axes in an order; a box has rounded sizes, see `_DECIMALS`."""
    voxel = grid.voxel
    if voxel.is_box:
        return Voxel.of([round(float(voxel.spacing[n]), _DECIMALS) for n in axes])
    return Voxel.of(voxel.edges[:, axes])


def _least_mm(thickness: float) -> float:
    return max(MEASURABLE_MM, _THICKNESSES * thickness) if thickness > _THICK_MM else MEASURABLE_MM


def _plane_to_mm(columns: Floats) -> Floats:
    """Matrix (2, 2) from indices within a slice to mm along two perpendicular directions."""
    return np.asarray(np.linalg.qr(columns)[1])


class _Section:
    """What is measured of a lesion in one slice: mask (i, j) with a margin of one voxel.

    Positions (n, 2) are indices within the slice.
    """

    def __init__(self, mask: Mask, to_mm: Floats) -> None:
        used = np.argwhere(mask)
        first, last = used.min(axis=0) - 1, used.max(axis=0) + 2
        self._mask: Mask = mask[first[0] : last[0], first[1] : last[1]]
        self._to_mm = to_mm

    @cached_property
    def _corners(self) -> Floats:
        return outline_corners(self._mask)

    @cached_property
    def extent(self) -> float:
        """Diagonal of the box around the lesion in mm: no line is longer."""
        points = self._corners @ self._to_mm.T
        return float(np.linalg.norm(points.max(axis=0) - points.min(axis=0)))

    def longest_lines(
        self, at_least: float, *, crossed: bool = False
    ) -> list[tuple[float, Floats]]:
        """Length in mm and ends (2, 2) of the longest lines within the lesion, which are equal.

        They go from corner to corner of the outline. None if all are shorter than asked for. With
        `crossed`, those that nothing crosses at a right angle do not count.
        """
        from scipy.spatial.distance import pdist

        corners = _spread(self._corners, _MAX_ENDS)
        first, second = np.triu_indices(len(corners), k=1)
        lengths = pdist(corners @ self._to_mm.T)
        long_enough = np.flatnonzero(lengths >= at_least)
        order = long_enough[np.argsort(-lengths[long_enough], kind="stable")]

        def lines(numbers: Integers) -> Floats:
            return np.stack([corners[first[numbers]], corners[second[numbers]]], axis=1)

        longest: list[tuple[float, Floats]] = []
        for some in self._tried(order, lines):
            equal = lengths[some] >= (longest[0][0] if longest else 0.0) - _EQUAL_MM
            if not equal.any():
                break
            ends = lines(some[equal])
            within = np.flatnonzero(are_within(ends, self._mask, _GAP))
            if crossed:
                within = within[[self.widest_across(ends[n]) > _EQUAL_MM for n in within]]
            longest += [(float(lengths[some[n]]), ends[n]) for n in within]
        return [line for line in longest if line[0] >= longest[0][0] - _EQUAL_MM][:_MAX_EQUAL]

    def _tried(self, order: Integers, lines: Callable[[Integers], Floats]) -> Iterator[Integers]:
        """Numbers of lines, in their order, without those that are far from the lesion."""
        yield from _portions(order[:_FIRST_LINES], _LINES_AT_ONCE)
        near = [
            numbers[~go_far(lines(numbers), self._mask)]
            for numbers in _portions(order[_FIRST_LINES:], _LINES_LOOKED_AT)
        ]
        if near:
            yield from _portions(_spread(np.concatenate(near), _MAX_LINES), _LINES_AT_ONCE)

    def widest_across(self, ends: Floats) -> float:
        """Length in mm of the longest line within the lesion that crosses another, perpendicularly.

        Parameters
        ----------
        ends : (2, 2) float array
            Of the other line.
        """
        return widest_across(outline_sides(self._mask) @ self._to_mm.T, ends @ self._to_mm.T)


def _spread(items: npt.NDArray[Any], most: int) -> npt.NDArray[Any]:
    """Evenly spread items of a sequence, at most so many."""
    return items[:: max(1, -(-len(items) // most))]


def _portions(items: Integers, size: int) -> Iterator[Integers]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
