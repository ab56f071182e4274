"""26-connected components of a mask, and their diameter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.boxes import Box, bounding_box
from smalltumor.labels.masks import Mask

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_LOWER_CORNERS = np.array([(i, j, -0.5) for i in (-0.5, 0.5) for j in (-0.5, 0.5)])
_UPPER_CORNERS = _LOWER_CORNERS * (1, 1, -1)
_HULL_FROM_POINTS = 400  # with fewer, comparing all pairs is faster than computing the hull


@dataclass(frozen=True)
class Components:
    """The 26-connected components of a mask, numbered from 1 by ascending size.

    Components of equal size are numbered in scan order, so the numbers are reproducible.

    Parameters
    ----------
    shape : three ints
        Shape of the whole mask.
    box : three slices
        Bounding box of all components within the mask.
    labels : (i, j, k) int32 array
        Component number of each voxel of the box, 0 outside; read-only.
    sizes : (n,) int64 array
        Number of voxels of components 1 to n.
    """

    shape: tuple[int, int, int]
    box: Box
    labels: npt.NDArray[np.int32]
    sizes: Integers

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def start(self) -> Integers:
        """Index of the first voxel of the box, (3,) int64."""
        return np.array([span.start for span in self.box], dtype=np.int64)

    def label_image(self) -> npt.NDArray[np.int32]:
        """Component numbers on the whole grid, (i, j, k) int32."""
        image = np.zeros(self.shape, dtype=np.int32)
        image[self.box] = self.labels
        return image

    @cached_property
    def voxels(self) -> list[Integers]:
        """Voxel indices of each component in the whole mask, (size, 3) int64, in scan order."""
        where = np.stack(np.nonzero(self.labels), axis=1)
        order = np.argsort(self.labels[tuple(where.T)], kind="stable")
        where = where[order] + self.start
        return np.split(where, np.cumsum(self.sizes)[:-1]) if len(self) else []


def connected_components(mask: Mask) -> Components:
    """Label the 26-connected components of a mask.

    Parameters
    ----------
    mask : (i, j, k) bool array
    """
    from skimage.measure import label

    box = bounding_box(mask)
    shape = (mask.shape[0], mask.shape[1], mask.shape[2])
    if box[0].stop == 0:
        return Components(shape, box, np.zeros((0, 0, 0), np.int32), np.zeros(0, np.int64))
    scanned: Integers = label(mask[box], connectivity=3)
    sizes = np.bincount(scanned.ravel())[1:]
    order = np.argsort(sizes, kind="stable")
    numbers = np.zeros(len(sizes) + 1, dtype=np.int32)
    numbers[order + 1] = np.arange(1, len(sizes) + 1)
    labels = numbers[scanned]
    labels.setflags(write=False)
    return Components(shape, box, labels, sizes[order])


def largest_diameter(voxels: Integers, affine: Floats) -> float:
    """Compute the largest distance between two voxel corners of a component, in mm.

    Corners are used rather than centres, so that a voxel of 1 mm has the diameter 1.73 mm and the
    points always span a volume. The result is exact: the two farthest points of a set are
    vertices of its convex hull, and within a column along the last axis only the first and the
    last voxel can have such a vertex.

    Parameters
    ----------
    voxels : (n, 3) int array
        Voxel indices, ascending along the last axis within each column, as `Components.voxels`.
    affine : (4, 4) array
        From voxel indices to mm.
    """
    next_column = np.any(np.diff(voxels[:, :2], axis=0) != 0, axis=1)
    first = voxels[np.r_[True, next_column]][:, None, :] + _LOWER_CORNERS
    last = voxels[np.r_[next_column, True]][:, None, :] + _UPPER_CORNERS
    corners = np.concatenate([first.reshape(-1, 3), last.reshape(-1, 3)])
    return _farthest_pair(corners @ affine[:3, :3].T)


def _farthest_pair(points: Floats) -> float:
    from scipy.spatial import ConvexHull
    from scipy.spatial.distance import pdist

    if len(points) > _HULL_FROM_POINTS:
        points = points[ConvexHull(points).vertices]
    return float(pdist(points).max())
