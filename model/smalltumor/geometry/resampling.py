"""Resampling of images and labels to another grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.boxes import Box, bounding_box, padded

if TYPE_CHECKING:
    from smalltumor.geometry.grid import Grid

_TRUNCATE = 4.0
"""Standard deviations at which the Gaussian that smooths an image ends."""

_MODE = "grid-constant"
"""What scipy takes outside an image; "constant" loses the outermost voxels to rounding errors."""


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

    result: npt.NDArray[np.float32] = ndimage.affine_transform(
        _smoothed(volume, to_source),
        to_source[:3, :3],
        offset=to_source[:3, 3],
        output_shape=tuple(shape),
        output=np.float32,
        order=1,
        mode=_MODE,
        prefilter=False,
    )
    return result


def interpolate_at(
    volume: npt.NDArray[np.generic],
    to_source: npt.NDArray[np.float64],
    voxels: npt.NDArray[np.integer],
) -> npt.NDArray[np.float32]:
    """Single voxels of the result of `interpolate`.

    Parameters
    ----------
    volume, to_source
        As for `interpolate`; of the volume, `seen_box` is enough.
    voxels : (n, 3) int array
        Of the result.

    Returns
    -------
    (n,) float32 array
    """
    from scipy import ndimage

    places = _apply(to_source, voxels)
    result: npt.NDArray[np.float32] = ndimage.map_coordinates(
        _smoothed(volume, to_source),
        places.T,
        output=np.float32,
        order=1,
        mode=_MODE,
        prefilter=False,
    )
    return result


def seen_box(
    voxels: npt.NDArray[np.integer], to_source: npt.NDArray[np.float64], shape: Sequence[int]
) -> Box:
    """The voxels of a source on which voxels of a result of `interpolate` depend.

    Parameters
    ----------
    voxels : (n, 3) int array
        Of the result.
    to_source : (4, 4) array
        As for `interpolate`.
    shape : (3,) int
        Of the source.
    """
    places, last = _apply(to_source, voxels), np.array(shape) - 1
    low = np.clip(np.floor(places.min(axis=0)), 0, last).astype(int)
    high = np.clip(np.ceil(places.max(axis=0)), 0, last).astype(int) + 1
    i, j, k = map(slice, low.tolist(), high.tolist())
    return padded((i, j, k), reach(to_source).tolist(), tuple(shape))


def _smoothed(
    volume: npt.NDArray[np.generic], to_source: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """The image as it is sampled, float32."""
    from scipy import ndimage

    values = np.asarray(volume, dtype=np.float32)
    sigma = _smoothing(to_source)
    if not sigma.any():
        return values
    smoothed: npt.NDArray[np.float32] = ndimage.gaussian_filter(values, sigma, truncate=_TRUNCATE)
    return smoothed


def reach(to_source: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """How far smoothing spreads an image in `interpolate`, in its voxels along each axis, (3,)."""
    return np.floor(_TRUNCATE * _smoothing(to_source) + 0.5).astype(np.int64)


def affected_box(box: Box, to_source: npt.NDArray[np.float64], shape: Sequence[int]) -> Box:
    """The voxels of a result of `interpolate` that depend on a box of its source.

    Parameters
    ----------
    box : Box
        Of the source.
    to_source, shape
        As for `interpolate`.
    """
    width = 1 + reach(to_source)
    ends = [(span.start - n, span.stop - 1 + n) for span, n in zip(box, width, strict=True)]
    corners = np.stack(np.meshgrid(*ends), axis=-1).reshape(-1, 3)
    affected = _apply(np.asarray(np.linalg.inv(to_source)), corners)
    first = np.clip(np.floor(affected.min(axis=0)), 0, shape).astype(int)
    last = np.clip(np.ceil(affected.max(axis=0)) + 1, 0, shape).astype(int)
    i, j, k = map(slice, first.tolist(), last.tolist())
    return i, j, k


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
    labelled = bounding_box(labels != 0)
    affected = affected_box(labelled, to_source, shape)
    # What the affected voxels see is smoothed as in the whole volume.
    near = padded(labelled, (2 + 2 * reach(to_source)).tolist(), labels.shape)
    to_near = to_source @ translation([span.start for span in affected])
    to_near[:3, 3] -= [span.start for span in near]
    result[affected] = _likeliest(labels[near], to_near, result[affected].shape)
    return result


def _likeliest(
    labels: npt.NDArray[np.uint8], to_source: npt.NDArray[np.float64], shape: Sequence[int]
) -> npt.NDArray[np.uint8]:
    """The label whose interpolated mask has the largest value; the lowest if several have."""
    result = np.zeros(tuple(shape), dtype=np.uint8)
    largest = interpolate(labels == 0, to_source, shape)
    # Outside the source, where its mask is interpolated to 0, the background is 1.
    inside = interpolate(np.ones(labels.shape, dtype=np.float32), to_source, shape)
    largest += np.maximum(0, 1 - inside)
    for label in (int(value) for value in np.unique(labels) if value):
        field = interpolate(labels == label, to_source, shape)
        result[field > largest] = label
        np.maximum(largest, field, out=largest)
    return result


def translation(by: Sequence[int]) -> npt.NDArray[np.float64]:
    """Transform of voxel indices by whole voxels, (4, 4)."""
    transform = np.eye(4)
    transform[:3, 3] = by
    return transform


def _apply(
    transform: npt.NDArray[np.float64], voxels: npt.NDArray[np.number]
) -> npt.NDArray[np.float64]:
    """Transform voxel indices (n, 3); not rounded."""
    return np.asarray(voxels @ transform[:3, :3].T + transform[:3, 3])


def _between(source: Grid, target: Grid) -> npt.NDArray[np.float64]:
    """From voxel indices of the target to those of the source."""
    return np.asarray(np.linalg.inv(source.affine) @ target.affine)
