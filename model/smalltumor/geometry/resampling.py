"""Resampling of images and labels to another grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from smalltumor.geometry.grid import Grid


def resample(
    volume: npt.NDArray[np.generic], source: Grid, target: Grid
) -> npt.NDArray[np.float32]:
    """Resample an image to another grid by linear interpolation.

    Outside the source the image falls to zero within one voxel. If the target is coarser, the
    source is smoothed first, so that structures between the target's voxels are not lost.

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
        mode="grid-constant",  # "constant" loses the outermost voxels to rounding errors
        prefilter=False,
    )
    return result


def resample_labels(
    labels: npt.NDArray[np.uint8], source: Grid, target: Grid
) -> npt.NDArray[np.uint8]:
    """Resample labels to another grid.

    Each label's mask is interpolated linearly, and every voxel gets the label with the largest
    value. This preserves the size of small lesions, which nearest-neighbour interpolation erodes
    or dilates.

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
    largest = resample(labels == 0, source, target)
    _add_outside(largest, source, target)
    for label in present:
        field = resample(labels == label, source, target)
        result[field > largest] = label
        np.maximum(largest, field, out=largest)
    return result


def _add_outside(background: npt.NDArray[np.float32], source: Grid, target: Grid) -> None:
    """Set the background to 1 outside the source, where its mask is interpolated to 0."""
    inside = resample(np.ones(source.shape, dtype=np.float32), source, target)
    background += np.maximum(0, 1 - inside)
