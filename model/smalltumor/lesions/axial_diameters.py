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

if TYPE_CHECKING:
    from smalltumor.geometry.grid import Grid

Floats = npt.NDArray[np.float64]

MEASURABLE_MM = 10.0
"""Least length of both diameters of a measurable lesion (RANO 2.0: Wen et al. 2023, J Clin Oncol
41:5187)."""

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
        Length of the longest line within the lesion in any axial slice, from edge to edge. Holes,
        such as a necrosis within an enhancing rim, belong to the lesion.
    perpendicular_mm : float
        The longest line perpendicular to it within the lesion in the same slice.
    slices : int
        Number of axial slices with the lesion.
    least_mm : float
        Least length of both diameters of a measurable lesion: `MEASURABLE_MM`, or twice the
        thickness of slices of more than 5 mm.
    slice_index : int or None
        Index of their slice on the grid, along its axis nearest to the long axis of the body.
    slice_number : int or None
        The slice that they lie in, from 0, as napari shows it for this plugin's layers; see
        `location.upright_slices`. Of several with equal diameters, the first that was found.
    """

    longest_mm: float
    perpendicular_mm: float
    slices: int
    least_mm: float = MEASURABLE_MM
    slice_index: int | None = None
    slice_number: int | None = None

    @property
    def product_mm2(self) -> float:
        """Bidimensional product in mm2."""
        return self.longest_mm * self.perpendicular_mm

    @property
    def measurable(self) -> bool:
        """Whether both diameters reach `least_mm`, on at least `MEASURABLE_SLICES` slices."""
        return self.perpendicular_mm >= self.least_mm and self.slices >= MEASURABLE_SLICES


def axial_diameters(voxels: Integers, grid: Grid) -> AxialDiameters:
    """Measure a lesion in its axial slices.

    Axial slices are those of the grid that are nearest to the axial plane: in an oblique scan the
    slices as they were acquired, as on a workstation.

    Parameters
    ----------
    voxels : (n, 3) int array
        Voxel indices of the lesion.
    grid : Grid
    """
    axis = next(n for n, code in enumerate(grid.axcodes) if code in "SI")
    in_plane = [n for n in range(3) if n != axis]
    to_mm = _plane_to_mm(grid.affine[:3, in_plane])
    order = np.argsort(voxels[:, axis], kind="stable")
    starts = np.flatnonzero(np.diff(voxels[order, axis])) + 1
    parts = np.split(voxels[order], starts)
    sections = [_Section(part[:, in_plane], to_mm) for part in parts]
    longest, ends, section = 0.0, np.zeros((2, 2)), sections[0]
    for candidate in sorted(sections, key=lambda s: s.extent, reverse=True):
        if candidate.extent <= longest:
            break
        length, line = candidate.longest_line(longer_than=longest)
        if length > longest:
            longest, ends, section = length, line, candidate
    across = section.widest_across(ends[1] - ends[0])
    voxel = parts[sections.index(section)][0]
    number, _, _ = upright_slices(grid, voxel)
    least = _least_mm(float(grid.spacing[axis]))
    return AxialDiameters(longest, across, len(sections), least, int(voxel[axis]), number)


def _least_mm(thickness: float) -> float:
    return max(MEASURABLE_MM, _THICKNESSES * thickness) if thickness > _THICK_MM else MEASURABLE_MM


def _plane_to_mm(columns: Floats) -> Floats:
    """Matrix (2, 2) from indices within a slice to mm along two perpendicular directions."""
    return np.asarray(np.linalg.qr(columns)[1])


class _Section:
    """A lesion in one slice, without its holes.

    Positions (n, 2) are indices within the slice, from the corner of a margin of one voxel.
    """

    def __init__(self, voxels: Integers, to_mm: Floats) -> None:
        from scipy.ndimage import binary_fill_holes

        first = voxels.min(axis=0) - 1
        mask = np.zeros(voxels.max(axis=0) - first + 2, dtype=bool)
        mask[tuple((voxels - first).T)] = True
        self._mask: Mask = binary_fill_holes(mask)
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
        order = np.argsort(-lengths, kind="stable")
        order = order[lengths[order] > longer_than]
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
        at = ((np.arange(count) + 0.5) / count)[:, None]
        inside = self._contains(ends[:, None, 0] + at * (ends[:, None, 1] - ends[:, None, 0]))
        samples = np.arange(count)
        last_inside = np.maximum.accumulate(np.where(inside, samples, -1), axis=1)
        gaps = (samples - last_inside).max(axis=1) * voxels / count
        return np.asarray(gaps <= _GAP)

    def widest_across(self, direction: Floats) -> float:
        """Length in mm of the longest line within the lesion that is perpendicular to another."""
        along = self._to_mm @ direction
        along /= np.linalg.norm(along)
        across = np.array([-along[1], along[0]])
        points = self._edges @ self._to_mm.T
        size = float(np.abs(np.linalg.eigvals(self._to_mm)).min())
        offsets = _steps(points @ along, size / _CHORDS_PER_VOXEL)
        positions = _steps(points @ across, size / _CHORD_SAMPLES_PER_VOXEL)
        mm = offsets[:, None, None] * along + positions[:, None] * across
        inside = self._contains(mm @ np.linalg.inv(self._to_mm).T)
        samples = np.arange(len(positions))
        last_outside = np.maximum.accumulate(np.where(inside, -1, samples), axis=1)
        return float((samples - last_outside).max()) * size / _CHORD_SAMPLES_PER_VOXEL

    def _contains(self, positions: Floats) -> npt.NDArray[np.bool_]:
        """Whether positions (..., 2) are in the lesion."""
        nearest = np.rint(positions).astype(int)
        limits = np.array(self._mask.shape) - 1
        nearest = np.clip(nearest, 0, limits)  # the margin is outside
        return np.asarray(self._mask[nearest[..., 0], nearest[..., 1]])


def _spread(items: npt.NDArray[Any], most: int) -> npt.NDArray[Any]:
    """Evenly spread items of a sequence, at most so many."""
    return items[:: max(1, -(-len(items) // most))]


def _steps(values: Floats, step: float) -> Floats:
    """Middles of steps from the least value to the largest."""
    count = max(1, int(np.ceil((values.max() - values.min()) / step)))
    return np.asarray(values.min() + (np.arange(count) + 0.5) * step)
