"""The network's crop around the brain, counted from the brain and not from the ends of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask


def crop_around(
    brain: Mask, multiple: int, margin: int
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Start and shape of the crop around the brain.

    The network halves the resolution four times, so which voxels it combines depends on where the
    crop starts. Blocks of `multiple` voxels are therefore counted from the brain and
    not from the end of the image: the labels stay the same if the image is cropped or padded, and
    are mirrored if it is. The centre of mass is hardly moved by voxels at the brain's border, which
    depend on the skull stripping.

    Parameters
    ----------
    brain : (l, p, s) bool array
    multiple, margin : int
        Of the shape, and around the brain, in voxels; see `smalltumor.data.preprocessing`.

    Returns
    -------
    start, shape : (3,) int
    """
    starts, sizes = zip(
        *(_span_around(counts, multiple, margin) for counts in _voxels_by_plane(brain)), strict=True
    )
    return (starts[0], starts[1], starts[2]), (sizes[0], sizes[1], sizes[2])


def _span_around(counts: npt.NDArray[np.integer], multiple: int, margin: int) -> tuple[int, int]:
    """Start and size of the crop along an axis, from the brain's voxels in each plane across it."""
    occupied = np.flatnonzero(counts)
    moment, voxels = _moments(counts)
    # A block starts here, so that its middle, which lies between voxels, is next to the centre.
    block = moment // voxels + 1 - multiple // 2
    start = block + (int(occupied[0]) - margin - block) // multiple * multiple
    stop = int(occupied[-1]) + 1 + margin
    return start, -(-(stop - start) // multiple) * multiple


def _moments(counts: npt.NDArray[np.integer]) -> tuple[int, int]:
    """First moment and number of voxels, whose ratio is the centre of mass.

    Whole numbers: a ratio that is half-way would be rounded up in one crop and down in another.
    """
    return int(np.dot(np.arange(len(counts)), counts)), int(counts.sum())


def _voxels_by_plane(mask: Mask) -> list[npt.NDArray[np.integer]]:
    """Voxels of a mask in each plane across axes l, p and s."""
    across = np.add.reduce(mask.view(np.uint8), axis=2, dtype=np.uint16)
    by_slice = np.array([np.count_nonzero(mask[:, :, k]) for k in range(mask.shape[2])])
    return [across.sum(axis=1, dtype=np.int64), across.sum(axis=0, dtype=np.int64), by_slice]


def central_voxel(brain: Mask) -> tuple[int, int, int]:
    """The voxel next to the centre of mass of the brain, (l, p, s) bool.

    It is the same however the images are cropped or padded.
    """
    i, j, k = ((2 * m + n) // (2 * n) for m, n in map(_moments, _voxels_by_plane(brain)))
    return i, j, k
