"""Volumes and labels at the voxels of another grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from smalltumor.geometry.grid import Grid


def resample(
    volume: npt.NDArray[np.generic], source: Grid, target: Grid
) -> npt.NDArray[np.float32]:
    """A volume at the voxels of another grid, linearly interpolated.

    Beyond the source's outermost voxels it falls to zero within a voxel.

    Where the target is coarser, the source is smoothed first so that nothing between its
    voxels is lost.

    Parameters
    ----------
    volume : (i, j, k) array on `source`
    source, target : Grid

    Returns
    -------
    float32 array of ``target.shape``
    """
    from scipy import ndimage

    values = np.asarray(volume, dtype=np.float32)
    matrix = np.linalg.inv(source.affine) @ target.affine
    coarser = np.abs(matrix[:3, :3]).max(axis=1)
    if np.any(coarser > 1.2):
        values = ndimage.gaussian_filter(values, np.maximum(0, (coarser - 1) / 2))
    result: npt.NDArray[np.float32] = ndimage.affine_transform(
        values,
        matrix[:3, :3],
        offset=matrix[:3, 3],
        output_shape=target.shape,
        output=np.float32,
        order=1,
        mode="grid-constant",  # with "constant" a rounding error loses the outermost voxels
        prefilter=False,
    )
    return result


def resample_labels(
    labels: npt.NDArray[np.uint8], source: Grid, target: Grid
) -> npt.NDArray[np.uint8]:
    """Labels at the voxels of another grid.

    Each label is interpolated as a smooth field and the strongest wins, which keeps a small
    lesion's size where the nearest voxel would erode or swell it.

    Parameters
    ----------
    labels : (i, j, k) uint8 array on `source`
    source, target : Grid

    Returns
    -------
    uint8 array of ``target.shape``
    """
    result = np.zeros(target.shape, dtype=np.uint8)
    present = [int(v) for v in np.flatnonzero(np.bincount(labels.ravel())) if v]
    if not present:
        return result
    strongest = resample(labels == 0, source, target)
    _full_where_outside(strongest, source, target)
    for label in present:
        field = resample(labels == label, source, target)
        wins = field > strongest
        result[wins] = label
        np.maximum(strongest, field, out=strongest)
    return result


def _full_where_outside(background: npt.NDArray[np.float32], source: Grid, target: Grid) -> None:
    inside = resample(np.ones(source.shape, dtype=np.float32), source, target)
    background += np.maximum(0, 1 - inside)
