"""Where a box that may extend beyond a volume overlaps it."""

from __future__ import annotations

from collections.abc import Sequence

Box = tuple[slice, slice, slice]


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
