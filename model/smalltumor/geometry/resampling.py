"""Resampling of images and labels to another grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from smalltumor.geometry.grid import Grid

_TRUNCATE = 4.0
"""Standard deviations at which the Gaussian that smooths an image ends."""


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
    return interpolate(volume, _between(source, target), target.shape)


def interpolate(
    volume: npt.NDArray[np.generic], to_source: npt.NDArray[np.float64], shape: Sequence[int]
) -> npt.NDArray[np.float32]:
    """Resample an image by a transform of voxel indices, see `resample`.

    Parameters
    ----------
    volume : (i, j, k) array
    to_source : (4, 4) array
        From voxel indices of the result to those of `volume`.
    shape : (3,) int
        Of the result.

    Returns
    -------
    float32 array of `shape`
    """
    from scipy import ndimage

    values = np.asarray(volume, dtype=np.float32)
    sigma = _smoothing(to_source)
    if sigma.any():
        values = ndimage.gaussian_filter(values, sigma, truncate=_TRUNCATE)
    result: npt.NDArray[np.float32] = ndimage.affine_transform(
        values,
        to_source[:3, :3],
        offset=to_source[:3, 3],
        output_shape=tuple(shape),
        output=np.float32,
        order=1,
        mode="grid-constant",  # "constant" loses the outermost voxels to rounding errors
        prefilter=False,
    )
    return result


def reach(to_source: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """How far smoothing spreads an image in `interpolate`, in its voxels along each axis, (3,)."""
    return np.floor(_TRUNCATE * _smoothing(to_source) + 0.5).astype(np.int64)


def _smoothing(to_source: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Standard deviation of the smoothing along each axis of the source, in voxels."""
    coarser = np.abs(to_source[:3, :3]).max(axis=1)
    sigma = np.maximum(0, (coarser - 1) / 2)
    return np.asarray(sigma if np.any(coarser > 1.2) else np.zeros(3))


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
    return interpolate_labels(labels, _between(source, target), target.shape)


def interpolate_labels(
    labels: npt.NDArray[np.uint8], to_source: npt.NDArray[np.float64], shape: Sequence[int]
) -> npt.NDArray[np.uint8]:
    """Resample labels by a transform of voxel indices, see `resample_labels` and `interpolate`."""
    result = np.zeros(tuple(shape), dtype=np.uint8)
    present = [int(v) for v in np.flatnonzero(np.bincount(labels.ravel())) if v]
    if not present:
        return result
    largest = interpolate(labels == 0, to_source, shape)
    # Outside the source, where its mask is interpolated to 0, the background is 1.
    inside = interpolate(np.ones(labels.shape, dtype=np.float32), to_source, shape)
    largest += np.maximum(0, 1 - inside)
    for label in present:
        field = interpolate(labels == label, to_source, shape)
        result[field > largest] = label
        np.maximum(largest, field, out=largest)
    return result


def _between(source: Grid, target: Grid) -> npt.NDArray[np.float64]:
    """From voxel indices of the target to those of the source."""
    return np.asarray(np.linalg.inv(source.affine) @ target.affine)
