"""The solid part of a lesion that encloses a cavity, a cyst or a necrosis.

RANO measures no cavity: enhancement around one is measured only where it forms a nodule (Wen et al.
2010, J Clin Oncol 28:1963). Masks do not tell a necrosis from a cyst or a cavity reliably, so that
all of them are left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.boxes import bounding_box, padded
from smalltumor.geometry.distance_transform import distances_to_outside
from smalltumor.geometry.voxel import Voxel
from smalltumor.labels.masks import Mask

Floats = npt.NDArray[np.float64]

CAVITY_MM = 5.0
"""Width from which an enclosed space is a cavity. Narrower gaps in a rim do not open it."""

_SUBSLICE_MM, _EPSILON = 1.0, 1e-6
"""Thickness of the parts of a slice in which balls are placed, and rounding of distances in mm."""

_IN_SLICES = np.zeros((3, 3, 3), dtype=bool)
"""Neighbours within a slice."""
_IN_SLICES[1, :, 1] = _IN_SLICES[:, 1, 1] = True


def filled_in_slices(mask: Mask) -> Mask:
    """A mask (i, j, slice) without its holes in each slice."""
    from scipy.ndimage import label

    spaces, count = label(~mask, _IN_SLICES)
    outside = np.zeros(count + 1, dtype=bool)
    for face in (spaces[0], spaces[-1], spaces[:, 0], spaces[:, -1]):
        outside[face] = True
    outside[0] = False  # the mask
    return np.asarray(~outside[spaces])


def without_cavities(mask: Mask, voxel: Voxel) -> Mask | None:
    """A lesion without its cavities, but with what else it encloses; None without a cavity.

    Parameters
    ----------
    mask : (i, j, slice) bool array
        A lesion with a margin of one voxel.
    voxel : Voxel
        With its edges along i, j and from slice to slice.
    """
    inner = _inner_cavities(mask, voxel)
    if not inner.any():
        return None
    cavities = _within(_reach(voxel), inner, voxel)
    return np.asarray(mask | (filled_in_slices(mask) & ~cavities))


def solid_part(tissue: Mask, voxel: Voxel, diameter_mm: float) -> tuple[Mask, float | None]:
    """The part of a lesion that balls of a diameter reach which fit into it.

    The part is a morphological opening. A ball fits if it leaves the lesion by no more than half a
    voxel, since outlines are jagged. If none fits, the lesion is a rim, and the part is what the
    largest balls reach that do.

    Parameters
    ----------
    tissue : (i, j, slice) bool array
        As of `without_cavities`.
    voxel : Voxel
        As of `without_cavities`.
    diameter_mm : float

    Returns
    -------
    part : (i, j, slice) bool array
    thickness_mm : float or None
        Of a rim: the diameter of the largest ball. None of another lesion.
    """
    parts = max(1, round(voxel.thickness[2] / _SUBSLICE_MM))  # a ball may lie between two slices
    space = np.repeat(tissue, parts, axis=2)
    fine = Voxel.of(voxel.edges / (1, 1, parts))
    # Depth is to the next voxel's centre: half a voxel too long.
    depth, nearest = distances_to_outside(space, fine)
    thickness = None
    if depth.max() < diameter_mm / 2 - _EPSILON:
        diameter_mm = thickness = _largest_ball(depth, nearest)
    centres = depth >= diameter_mm / 2 - _EPSILON
    reached = space & _within(diameter_mm / 2 + _EPSILON, centres, fine)
    return np.asarray(reached.reshape(*tissue.shape, parts).any(axis=-1)), thickness


def _largest_ball(depth: Floats, nearest: npt.NDArray[np.intp]) -> float:
    """Diameter in mm, give or take a quarter of a voxel at each end, of the largest ball that fits.

    A ball around the deepest voxel's centre reaches the centre of the nearest voxel outside: half a
    voxel too far at either end, as wide as the voxel is in that direction. A ball that lies between
    two voxels ends just there, so that half of this is taken off.

    Parameters
    ----------
    depth, nearest
        Of `distances_to_outside`.
    """
    i, j, k = np.nonzero(depth >= depth.max() - _EPSILON)
    steps = np.abs(nearest[:, i, j, k] - np.stack([i, j, k])).max(axis=0)  # of a voxel's width
    widths = depth.max() / steps
    return float(2 * depth.max() - widths.min() / 2)


def _inner_cavities(mask: Mask, voxel: Voxel) -> Mask:
    """What is left in slices of the spaces that a lesion encloses if it grows by `_reach`."""
    if (np.array(mask.shape[:2]) * voxel.spacing[:2]).min() < CAVITY_MM:
        return np.zeros_like(mask)  # too small for one
    reach = _reach(voxel)
    margin = int(voxel.reach(reach)[:2].max())
    near = np.zeros_like(mask, shape=(*(n + 2 * margin for n in mask.shape[:2]), mask.shape[2]))
    for i, j in np.ndindex(2 * margin + 1, 2 * margin + 1):
        if np.linalg.norm(voxel.places(np.array([i - margin, j - margin, 0]))) < reach:
            near[i : i + mask.shape[0], j : j + mask.shape[1]] |= mask
    found = filled_in_slices(near) & ~near
    return np.asarray(found[margin:-margin, margin:-margin])


def _within(distance_mm: float, mask: Mask, voxel: Voxel) -> Mask:
    """Voxels whose centres are no farther from that of a voxel of a mask than a distance."""
    box = padded(bounding_box(mask), voxel.reach(distance_mm).tolist(), mask.shape)
    within = np.zeros_like(mask)
    within[box] = distances_to_outside(~mask[box], voxel)[0] <= distance_mm
    return within


def _reach(voxel: Voxel) -> float:
    """Distance in mm between the centres of the outermost voxels of a lesion and of its cavity."""
    return (CAVITY_MM + float(voxel.spacing[:2].min())) / 2
