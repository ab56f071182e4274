"""Boxes of voxels: around a mask, with a margin, and their overlap with a volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Box = tuple[slice, slice, slice]


def bounding_box(mask: npt.NDArray[np.bool_]) -> Box:
    """Compute the smallest box around a mask; its slices are empty if the mask is.

    Parameters
    ----------
    mask : (i, j, k) bool array
    """
    box = [slice(None)] * 3
    for axis in np.argsort(np.abs(mask.strides))[::-1]:  # slowest axis first: contiguous planes
        others = tuple(other for other in range(3) if other != axis)
        hit = np.flatnonzero(mask[tuple(box)].any(axis=others))
        box[axis] = slice(int(hit[0]), int(hit[-1]) + 1) if hit.size else slice(0, 0)
    return box[0], box[1], box[2]


def padded(box: Box, margin: Sequence[int], shape: tuple[int, ...]) -> Box:
    """A box with a margin of voxels along each axis, within a volume of a shape."""
    i, j, k = (
        slice(max(0, span.start - width), min(size, span.stop + width))
        for span, width, size in zip(box, margin, shape, strict=True)
    )
    return i, j, k


def overlap(start: Sequence[int], size: Sequence[int], shape: Sequence[int]) -> tuple[Box, Box]:
    """The part of a box that is inside a volume.

    Parameters
    ----------
    start : (3,) int
        First voxel of the box in the volume; may be negative.
    size : (3,) int
        Voxels of the box along each axis.
    shape : (3,) int
        Voxels of the volume along each axis.

    Returns
    -------
    in_box, in_volume : three slices each
        The same voxels, counted from the box's first voxel and from the volume's; empty along an
        axis on which they do not overlap.
    """
    in_box, in_volume = [], []
    for first, length, limit in zip(start, size, shape, strict=True):
        low = min(max(first, 0), limit)
        high = max(min(first + length, limit), low)
        in_volume.append(slice(low, high))
        in_box.append(slice(low - first, high - first))
    return (in_box[0], in_box[1], in_box[2]), (in_volume[0], in_volume[1], in_volume[2])
