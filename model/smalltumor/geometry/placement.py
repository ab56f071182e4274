"""Placing a volume on a larger or smaller grid of the same voxels."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from smalltumor.errors import GridMismatchError
from smalltumor.geometry.grid import CORNER_TOLERANCE, Grid, reoriented, to_axes

Scalar = TypeVar("Scalar", bound=np.generic)


def place_on_grid(
    volume: npt.NDArray[Scalar], source: Grid, target: Grid
) -> npt.NDArray[Scalar] | None:
    """Place a volume by its affine on a grid of the same voxels.

    Tools save masks with other axes (reoriented to RAS), cropped to the extent of what was
    segmented, or padded. Voxels are moved and never interpolated.

    Parameters
    ----------
    volume : (i, j, k) array on the source grid
        0 is the background.
    source, target : Grid

    Returns
    -------
    (i, j, k) array on the target grid, or None
        None if the voxels are not the same, or neither grid contains the other.

    Raises
    ------
    GridMismatchError
        If voxels that are not 0 lie outside the target grid.
    """
    oriented = to_axes(volume, source, target.axcodes)
    start = _first_voxel(reoriented(source, target.axcodes), target)
    if start is None:
        return None
    stop = start + oriented.shape
    inside, around = bool(np.all(start >= 0)), bool(np.all(start <= 0))
    inside = inside and bool(np.all(stop <= target.shape))
    around = around and bool(np.all(stop >= target.shape))
    if not (inside or around):
        return None
    low, high = np.maximum(start, 0), np.minimum(stop, target.shape)
    kept = oriented[_box(low - start, high - start)]
    outside = int(np.count_nonzero(oriented)) - int(np.count_nonzero(kept))
    if outside:
        raise GridMismatchError(f"{outside} labelled voxels lie outside {target.describe()}")
    placed = np.zeros(target.shape, dtype=volume.dtype, order="F")
    placed[_box(low, high)] = kept
    return placed


def _first_voxel(source: Grid, target: Grid) -> npt.NDArray[np.int64] | None:
    """Index in the target of the source's first voxel, or None if the voxels are not the same."""
    corners = source.corners()
    in_target = np.linalg.inv(target.affine) @ np.append(source.affine[:3, 3], 1.0)
    start = np.rint(in_target[:3]).astype(np.int64)
    own = np.stack(np.meshgrid(*[(0, n - 1) for n in source.shape]), axis=-1)
    distance = np.abs(target.to_patient(own + start) - corners).max()
    return start if distance <= CORNER_TOLERANCE * target.spacing.min() else None


def _box(low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> tuple[slice, slice, slice]:
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return i, j, k
