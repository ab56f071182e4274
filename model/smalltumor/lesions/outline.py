"""The outline of a lesion in one slice, and lines within it.

The outline is the contour of the mask at one half (marching squares, Lorensen and Cline 1987): its
corners are the midpoints of the edges between voxels of the lesion and others, and voxels that
touch at a corner are joined. Along an oblique border it is straight where the edges of voxels are
jagged, and a line from side to side is no longer than the lesion is wide.

Positions (n, 2) are indices within the slice; voxel (i, j) has its centre there. Masks (i, j) have
a margin of one voxel that is not in them. Nothing is sampled: lines are cut where they cross.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smalltumor.labels.masks import Mask

Floats = npt.NDArray[np.float64]

_EPSILON = 1e-6
"""In voxels or mm: what is shorter is a rounding error."""

_PLACES = 16
"""Places on a line that are looked at."""

_AT_ONCE = 2**20
"""Pairs of a chord and a side of the outline that are looked at in one step, for the memory."""

_SQUARE = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Offsets of four neighbouring voxels, whose centres are the corners of a square."""


def outline_corners(mask: Mask) -> Floats:
    """The corners of a mask's outline, (n, 2)."""
    corners = []
    for axis in (0, 1):
        changes = np.argwhere(np.diff(mask, axis=axis)).astype(np.float64)
        changes[:, axis] += 0.5
        corners.append(changes)
    return np.concatenate(corners)


def outline_sides(mask: Mask) -> Floats:
    """The sides of a mask's outline in any order, (n, 2, 2): each connects two corners.

    A side crosses a square of four voxels: obliquely if it cuts off one of them, else in the middle
    between two rows or two columns.
    """
    rows, columns = (n - 1 for n in mask.shape)
    voxels = {(p, q): mask[p : rows + p, q : columns + q] for p, q in _SQUARE}
    sides = []
    for p, q in _SQUARE:
        voxel, across = voxels[p, q], voxels[1 - p, 1 - q]
        is_alone = (voxels[p, 1 - q] != voxel) & (voxels[1 - p, q] != voxel)
        is_cut_off = is_alone & ~(voxel & across)  # voxels that touch at a corner are joined
        sides.append(_placed(is_cut_off, [(0.5, q), (p, 0.5)]))
    a, b, c, d = voxels.values()
    between_rows = (a == b) & (c == d) & (a != c)
    between_columns = (a == c) & (b == d) & (a != b)
    sides.append(_placed(between_rows, [(0.5, 0), (0.5, 1)]))
    sides.append(_placed(between_columns, [(0, 0.5), (1, 0.5)]))
    return np.concatenate(sides)


def _placed(squares: Mask, side: list[tuple[float, float]]) -> Floats:
    """A side in each of the squares, (n, 2, 2)."""
    return np.asarray(np.argwhere(squares)[:, None] + np.array(side))


def are_within(lines: Floats, mask: Mask, gap: float) -> npt.NDArray[np.bool_]:
    """Whether lines leave the voxels of a mask by no more than a gap at a time.

    Parameters
    ----------
    lines : (n, 2, 2) float array
        Their ends.
    mask : (i, j) bool array
    gap : float
        In voxels.
    """
    start, way = lines[:, 0], lines[:, 1] - lines[:, 0]
    cuts = np.sort(np.concatenate([_cuts(start[:, n], way[:, n]) for n in (0, 1)], axis=1), axis=1)
    ends = np.pad(cuts, ((0, 0), (1, 1)))  # as if a line were in the mask at both of its ends
    ends[:, -1] = 1
    lengths = np.linalg.norm(way, axis=1)
    middles = (ends[:, :-1] + ends[:, 1:]) / 2
    places = start[:, None] + middles[..., None] * way[:, None]
    inside = _are_in(places, mask)
    along = np.flatnonzero(np.any(np.abs(way) < _EPSILON, axis=1))  # perhaps between two voxels
    aside = 2 * _EPSILON * (np.abs(way[along]) < _EPSILON)[:, None]
    inside[along] = _are_in(places[along] + aside, mask) | _are_in(places[along] - aside, mask)
    inside &= np.diff(ends, axis=1) * lengths[:, None] > _EPSILON
    return np.asarray(_widest_gaps(ends, inside) * lengths <= gap + _EPSILON)


def go_far(lines: Floats, mask: Mask) -> npt.NDArray[np.bool_]:
    """Whether lines (n, 2, 2) are seen to leave a mask by more than the diagonal of a voxel.

    A place in a voxel without a neighbour in the mask is at least one voxel away from it, and the
    gap around it twice as long. Only some places are looked at, which is much faster than
    `are_within`.
    """
    from scipy.ndimage import binary_dilation

    near = binary_dilation(mask, np.ones((3, 3)))
    at = (np.arange(_PLACES) + 0.5)[:, None] / _PLACES
    start, way = lines[:, None, 0], lines[:, None, 1] - lines[:, None, 0]
    return np.asarray(~_are_in(start + at * way, near).all(axis=1))


def _cuts(start: Floats, way: Floats) -> Floats:
    """Where lines (n,) pass from voxel to voxel along one axis, as parts of their lengths.

    Returns
    -------
    (n, m) float array
        0 or 1 beyond a line's ends.
    """
    first = np.ceil(np.minimum(start, start + way) - 0.5)
    count = int(np.ceil(np.abs(way).max(initial=0))) + 1
    borders = first[:, None] + np.arange(count) + 0.5
    still = np.abs(way) < _EPSILON
    cuts = (borders - start[:, None]) / np.where(still, 1, way)[:, None]
    return np.where(still[:, None], 0.0, np.clip(cuts, 0, 1))


def _are_in(places: Floats, mask: Mask) -> npt.NDArray[np.bool_]:
    """Whether places (..., 2) are in voxels of a mask."""
    rows, columns = mask.shape
    row = np.clip(np.rint(places[..., 0]), 0, rows - 1)
    column = np.clip(np.rint(places[..., 1]), 0, columns - 1)
    # The margin is outside. Indices of one flat array are looked up faster than pairs.
    return np.asarray(mask.ravel()[(row * columns + column).astype(np.intp)])


def _widest_gaps(ends: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
    """The longest gap of each line, (n,), as a part of its length.

    Parameters
    ----------
    ends : (n, m + 1) float array
        Of the parts of lines, ascending from 0 to 1.
    inside : (n, m) bool array
        Which of the parts are inside.
    """
    seen = np.where(inside, ends[:, 1:], 0.0)
    before = np.maximum.accumulate(np.pad(seen, ((0, 0), (1, 0))), axis=1)  # end of the last inside
    starts = np.pad(np.where(inside, ends[:, :-1], 0.0), ((0, 0), (0, 1)), constant_values=1.0)
    return np.asarray((starts - before).max(axis=1))


def widest_across(sides: Floats, line: Floats) -> float:
    """Length of the longest line within an outline that crosses another at a right angle.

    Where the other line leaves the outline, nothing crosses it.

    Parameters
    ----------
    sides : (n, 2, 2) float array
        Sides of the outline, in mm.
    line : (2, 2) float array
        Ends of the other line, in mm.

    Returns
    -------
    float
        In mm.
    """
    length = float(np.linalg.norm(line[1] - line[0]))
    along = (line[1] - line[0]) / length
    x, y = (sides - line[0]) @ along, (sides - line[0]) @ [-along[1], along[0]]
    sloping = np.abs(x[:, 1] - x[:, 0]) > _EPSILON
    sloping &= (x.min(axis=1) < length) & (x.max(axis=1) > 0)
    x, y = x[sloping], y[sloping]
    # Between two of these places, the ends of the chords move along straight sides.
    crossing = y[:, 0] * y[:, 1] < 0
    share = y[crossing, 0] / (y[crossing, 0] - y[crossing, 1])
    where = x[crossing, 0] + share * (x[crossing, 1] - x[crossing, 0])
    places = np.sort(np.clip(np.concatenate([x.ravel(), where, [0.0, length]]), 0, length))
    wide = np.flatnonzero(np.diff(places) > _EPSILON)
    steps = np.maximum(1, _AT_ONCE // max(1, len(x)))
    widest = 0.0
    for first in range(0, len(wide), int(steps)):
        some = wide[first : first + int(steps)]
        low, high = places[some], places[some + 1]
        one = _chords(x, y, low + (high - low) / 4)
        two = _chords(x, y, high - (high - low) / 4)
        widest = max(widest, float((np.maximum(one, two) + np.abs(two - one) / 2).max()))
    return widest


def _chords(x: Floats, y: Floats, at: Floats) -> Floats:
    """Lengths of the chords at places x that contain y = 0; no place is that of a corner."""
    crosses = (x[:, 0] < at[:, None]) != (x[:, 1] < at[:, None])
    slope = (y[:, 1] - y[:, 0]) / (x[:, 1] - x[:, 0])
    ends = y[:, 0] + (at[:, None] - x[:, 0]) * slope
    lengths = np.zeros(len(at))
    for border in (-_EPSILON, _EPSILON):  # a line along the outline has a chord on one side of it
        below, above = crosses & (ends < border), crosses & (ends >= border)
        inside = below.sum(axis=1) % 2 == 1
        last = np.where(below, ends, -np.inf).max(axis=1, initial=-np.inf)
        next_ = np.where(above, ends, np.inf).min(axis=1, initial=np.inf)
        lengths[inside] = np.maximum(lengths, next_ - last)[inside]
    return lengths
