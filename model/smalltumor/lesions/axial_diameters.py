"""The two axial diameters of a lesion, as radiologists measure them by hand (RANO)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smalltumor.labels.components import Integers
from smalltumor.labels.masks import Mask
from smalltumor.lesions.location import upright_slices
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

_GAP = 1.0
"""Voxels by which a line may leave the lesion between its ends: outlines of voxels are jagged."""

_MOST_ENDS = 1500
"""Ends of lines that are tried in a section; of a longer outline, evenly spread ones."""

_LONGEST_LINES, _FURTHER_LINES = 2048, 6144
"""Lines that are tried in a section: the longest, and evenly spread ones of the others, so that a
mask of noise ends in time. In 185 components of sixteen cases the result was that of all lines."""

_DECIMALS = 4
"""Of lengths in mm that are compared: affines are stored in single precision, and a voxel of 1 mm
reads as 0.9999999."""

_LINES_AT_ONCE = 512
_SAMPLES_PER_VOXEL = 4
_CHORDS_PER_VOXEL = 4
_CHORD_SAMPLES_PER_VOXEL = 10


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
    least = _least_mm(float(grid.spacing[axis]))
    spacing = [round(float(grid.spacing[n]), _DECIMALS) for n in (*in_plane, axis)]
    tissue = None if of_outline else without_cavities(mask, spacing)
    measured, rim_mm = (
        (filled_in_slices(mask), None) if tissue is None else solid_part(tissue, spacing, least)
    )

    to_mm = _plane_to_mm(grid.affine[:3, in_plane])
    numbers = np.flatnonzero(measured.any(axis=(0, 1)))
    sections = [_Section(measured[..., n], to_mm) for n in numbers]
    longest, ends, found = 0.0, np.zeros((2, 2)), 0
    for n in sorted(range(len(sections)), key=lambda n: sections[n].extent, reverse=True):
        if sections[n].extent <= longest:
            break
        length, line = sections[n].longest_line(longer_than=longest)
        if length > longest:
            longest, ends, found = length, line, n
    across = sections[found].widest_across(ends)
    if rim_mm is not None:
        across = min(across, rim_mm)
    voxel = voxels[0].copy()
    voxel[axis] = numbers[found] + first[axis]
    number, _, _ = upright_slices(grid, voxel)
    return AxialDiameters(
        longest,
        across,
        len(sections),
        least,
        int(voxel[axis]),
        number,
        has_cavity=tissue is not None,
        is_rim=rim_mm is not None,
    )


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
    def _edges(self) -> Floats:
        """Midpoints of the edges between a voxel of the lesion and one outside."""
        found = []
        for axis in (0, 1):
            changes = np.argwhere(np.diff(self._mask, axis=axis)).astype(np.float64)
            changes[:, axis] += 0.5
            found.append(changes)
        return np.concatenate(found)

    @cached_property
    def extent(self) -> float:
        """Diagonal of the box around the lesion in mm: no line is longer."""
        points = self._edges @ self._to_mm.T
        return float(np.linalg.norm(points.max(axis=0) - points.min(axis=0)))

    def longest_line(self, longer_than: float) -> tuple[float, Floats]:
        """Length in mm and ends (2, 2) of the longest line within the lesion.

        The length is 0 if no line is longer than asked for.
        """
        from scipy.spatial.distance import pdist

        edges = _spread(self._edges, _MOST_ENDS)
        first, second = np.triu_indices(len(edges), k=1)
        lengths = pdist(edges @ self._to_mm.T)
        long_enough = np.flatnonzero(lengths > longer_than)
        order = long_enough[np.argsort(-lengths[long_enough], kind="stable")]
        further = _spread(order[_LONGEST_LINES:], _FURTHER_LINES)
        tried = np.concatenate([order[:_LONGEST_LINES], further])
        for start in range(0, len(tried), _LINES_AT_ONCE):
            lines = tried[start : start + _LINES_AT_ONCE]
            ends = np.stack([edges[first[lines]], edges[second[lines]]], axis=1)
            within = np.flatnonzero(self._are_within(ends))
            if within.size:
                return float(lengths[lines[within[0]]]), ends[within[0]]
        return 0.0, np.zeros((2, 2))

    def _are_within(self, ends: Floats) -> npt.NDArray[np.bool_]:
        """Whether lines (n, 2, 2) leave the lesion by no more than a voxel at a time."""
        voxels = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        count = max(1, int(np.ceil(voxels.max() * _SAMPLES_PER_VOXEL)))
        at = (np.arange(count) + 0.5) / count
        first, last = ends[:, 0, :, None], ends[:, 1, :, None]
        i, j = (first[:, axis] + at * (last - first)[:, axis] for axis in (0, 1))
        inside = np.ones((len(ends), count + 1), dtype=bool)  # as if it were at the first end
        inside[:, 1:] = self._contains(i, j)
        samples = np.flatnonzero(inside)
        lines = samples // (count + 1)
        gaps = (np.diff(samples, append=inside.size) - 1) * voxels[lines] / count
        within = np.ones(len(ends), dtype=bool)
        within[lines[gaps > _GAP]] = False
        return within

    def widest_across(self, ends: Floats) -> float:
        """Length in mm of the longest line within the lesion that crosses another, perpendicularly.

        Parameters
        ----------
        ends : (2, 2) float array
            Of the other line.
        """
        start, stop = ends @ self._to_mm.T
        length = float(np.linalg.norm(stop - start))
        along = (stop - start) / length
        across = np.array([-along[1], along[0]])
        size = float(np.abs(np.linalg.eigvals(self._to_mm)).min())
        step = size / _CHORD_SAMPLES_PER_VOXEL
        away = (self._edges @ self._to_mm.T - start) @ across
        before, after = (int(np.ceil(max(0.0, mm) / step)) for mm in (-away.min(), away.max()))
        offsets = _steps(np.array([0.0, length]), size / _CHORDS_PER_VOXEL)
        positions = (np.arange(-before, after) + 0.5) * step
        mm = start + offsets[:, None, None] * along + positions[:, None] * across
        i, j = np.moveaxis(mm @ np.linalg.inv(self._to_mm).T, -1, 0)
        inside = self._contains(i, j)
        to_left = np.logical_and.accumulate(inside[:, :before][:, ::-1], axis=1).sum(axis=1)
        to_right = np.logical_and.accumulate(inside[:, before:], axis=1).sum(axis=1)
        return float((to_left + to_right).max()) * step

    def _contains(self, i: Floats, j: Floats) -> npt.NDArray[np.bool_]:
        """Whether positions are in the lesion."""
        rows, columns = self._mask.shape
        row, column = np.clip(np.rint(i), 0, rows - 1), np.clip(np.rint(j), 0, columns - 1)
        # The margin is outside. Indices of one flat array are looked up faster than pairs.
        return np.asarray(self._mask.ravel()[(row * columns + column).astype(np.intp)])


def _spread(items: npt.NDArray[Any], most: int) -> npt.NDArray[Any]:
    """Evenly spread items of a sequence, at most so many."""
    return items[:: max(1, -(-len(items) // most))]


def _steps(values: Floats, step: float) -> Floats:
    """Middles of steps from the least value to the largest."""
    count = max(1, int(np.ceil((values.max() - values.min()) / step)))
    return np.asarray(values.min() + (np.arange(count) + 0.5) * step)
