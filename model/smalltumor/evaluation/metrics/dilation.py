"""Lesions that are closer than a distance in mm, on grids of any voxel size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.voxel import Voxel
from smalltumor.labels.components import connected_components
from smalltumor.labels.masks import Mask

_FINE_MM = 1.0  # BraTS dilates on voxels of 1 mm
_DIVIDED_MM = 1.5
"""Size from which voxels are divided before they are dilated."""


def dilation_margin(distance_mm: float, voxel: Voxel) -> tuple[int, int, int]:
    """Number of voxels along i, j, k that a dilation by a distance can reach."""
    reach = distance_mm if voxel.is_box else np.sqrt(2) * (distance_mm + _DIVIDED_MM)
    i, j, k = (int(n) + 1 for n in voxel.reach(reach))
    return i, j, k


def dilated_components(mask: Mask, distance_mm: float, voxel: Voxel) -> npt.NDArray[np.int32]:
    """Number the 26-connected components of the dilated mask.

    A grid of 1 mm is dilated over faces and edges, one step a millimetre, as in BraTS 2023. Voxels
    of 1.5 mm or more are first divided into voxels of 1 mm or less, without which a slice of 5 mm
    could only be dilated by 0 or 5 mm. The number of parts is odd, so that one lies at the centre
    of a voxel, and mirrored masks have mirrored components. Finer axes take more steps.

    In a sheared grid, the steps of a millimetre are not along the edges of its voxels: what is
    reached is the same set of places in the patient, see `_dilated_upright`.

    Parameters
    ----------
    mask : (i, j, k) bool array
    distance_mm : float
    voxel : Voxel

    Returns
    -------
    (i, j, k) int32 array
        The component at the voxel's centre, from 1; 0 outside. Voxels of the mask are never 0.
    """
    spacing = voxel.spacing
    parts = _odd_parts(spacing)
    fine = mask
    for axis, count in enumerate(parts):
        fine = np.repeat(fine, count, axis)
    if voxel.is_box:
        dilated = _dilated(fine, _steps(distance_mm, spacing / parts))
    else:
        dilated = _dilated_upright(fine, distance_mm, voxel.edges / parts)
    numbers = connected_components(dilated).label_image()
    i, j, k = (slice(count // 2, None, count) for count in parts)
    return numbers[i, j, k]


def _odd_parts(spacing: npt.NDArray[np.float64]) -> npt.NDArray[np.int_]:
    """Number of parts of about 1 mm or less along each axis."""
    half = np.ceil((spacing / _FINE_MM - 1) / 2 - 1e-6).astype(int)
    return np.where(spacing < _DIVIDED_MM, 1, 2 * half + 1)


def _steps(distance_mm: float, spacing: npt.NDArray[np.float64]) -> npt.NDArray[np.int_]:
    """Steps of a voxel along each axis that go a distance, at least one."""
    return np.asarray(np.maximum(1, np.floor(distance_mm / spacing + 0.5)), dtype=int)


def _moving(steps: npt.NDArray[np.int_]) -> list[npt.NDArray[np.bool_]]:
    """Along which axes a dilation goes in each of its rounds.

    There are as many rounds as the axis with the most steps has. The others take theirs in rounds
    that are evenly spread, and rest in between.
    """
    rounds = int(steps.max())
    taken = [number * steps // rounds for number in range(rounds + 1)]
    return [after > before for before, after in pairwise(taken)]


def _dilated(mask: Mask, steps: npt.NDArray[np.int_]) -> Mask:
    """Dilate over faces and edges, by a number of voxels along each axis."""
    from scipy import ndimage

    for moving in _moving(steps):
        mask = ndimage.binary_dilation(mask, _neighbours(moving))
    return mask


def _dilated_upright(
    mask: Mask, distance_mm: float, edges: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Dilate a mask on a sheared grid, as far as the steps of `_dilated` reach on a box.

    The axes are those of the voxel after Gram and Schmidt, at right angles. A round goes along two
    axes at most, so the steps along all three together are limited as well.

    Parameters
    ----------
    mask : (i, j, k) bool array
    distance_mm : float
    edges : (3, 3) array
        Edges of its voxels as columns, mm.
    """
    from scipy import ndimage

    upright = np.linalg.qr(edges)[1]
    height = np.abs(np.diag(upright))
    steps = _steps(distance_mm, height)
    together = sum(min(2, int(moving.sum())) for moving in _moving(steps))
    count = np.ceil(np.abs(np.linalg.inv(upright)) @ ((steps + 0.5) * height)).astype(int)
    offsets = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in count), indexing="ij"), axis=-1)
    offsets = offsets.reshape(-1, 3)
    away = np.abs(offsets @ upright.T) / height
    reached = (away <= steps + 0.5).all(axis=1) & (away.sum(axis=1) <= together + 0.5)
    reached |= (np.abs(offsets).max(axis=1) <= 1) & (np.abs(offsets).sum(axis=1) <= 2)
    surface = np.argwhere(mask & ~ndimage.binary_erosion(mask))
    dilated = mask.copy()
    for offset in offsets[reached]:
        places = surface + offset
        places = places[((places >= 0) & (places < mask.shape)).all(axis=1)]
        dilated[tuple(places.T)] = True
    return dilated


def _neighbours(moving: npt.NDArray[np.bool_]) -> Mask:
    """A voxel and its neighbours over faces and edges, along the axes that are moving only."""
    from scipy import ndimage

    middle, every = slice(1, 2), slice(None)
    i, j, k = (every if moves else middle for moves in moving)
    return np.asarray(ndimage.generate_binary_structure(3, 2)[i, j, k])
