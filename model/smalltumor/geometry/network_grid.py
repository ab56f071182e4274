"""The network's grid of a case, and the transforms to it and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from smalltumor.errors import CaseError
from smalltumor.geometry.boxes import bounding_box, overlap
from smalltumor.geometry.grid import (
    NETWORK_AXES,
    Affine,
    Grid,
    from_axes,
    index_transform,
    reoriented,
    to_axes,
)
from smalltumor.geometry.resampling import (
    affected_box,
    interpolate,
    interpolate_labels,
    reach,
    translation,
)

Scalar = TypeVar("Scalar", bound=np.generic)

SPACING_TOLERANCE = 0.01
"""Largest deviation from 1 mm voxels, relative, that is not resampled: 2.4 mm in a head of 240."""

MAX_OBLIQUITY = 12.0
"""Largest rotation of the head, in degrees, that is not resampled; augmentation uses up to 10."""

MAX_NETWORK_VOXELS = 2**28
"""Largest grid; a head at 1 mm has about 10 million voxels, so a larger one has a wrong header."""

_SMALLEST_HEAD_MM, _FINEST_MM = 40.0, 0.15
"""Longest edge of a field of view, and smallest of a voxel, that no head has if it has both: one in
cm, taken for mm, has 24 and 0.1. A crop has the voxels of its image."""

_LARGEST_HEAD_MM = 1000.0

_LEAST_INSIDE = 0.5
"""Weight of the image's voxels that are not zero from which an interpolated one is not."""


def check_field_of_view(grid: Grid) -> None:
    """Refuse a grid on which no head can lie, as with voxel sizes in another unit than it says.

    Raises
    ------
    CaseError
        If the field of view is too small or too large for a head.
    """
    edges = grid.spacing * grid.shape
    if edges.max() < _SMALLEST_HEAD_MM and grid.spacing.min() < _FINEST_MM:
        raise _not_a_head("small", edges, grid)
    if edges.max() > _LARGEST_HEAD_MM:
        raise _not_a_head("large", edges, grid)


def _not_a_head(size: str, edges: npt.NDArray[np.float64], grid: Grid) -> CaseError:
    return CaseError(
        f"a field of view of {_millimetres(edges)} is too {size} for a head; "
        f"check the voxel sizes in the header ({grid.describe()})"
    )


class NetworkGrid:
    """Transform between a source grid and the network's grid.

    The network's grid has L, P, S axes and voxels of 1 mm. A source with these axes in another
    order or direction is permuted and reversed, without loss. A source with other voxel sizes is
    resampled along its own axes. A source whose axes are oblique by more than `MAX_OBLIQUITY`
    degrees, or not orthogonal, is resampled along the patient's axes.

    A resampled grid is counted from one voxel of the source, the anchor, and contains all places
    where the image is not zero. An image that is cropped or padded by zeros is therefore sampled
    at the same places, if its anchor is the same voxel of the patient. Patient coordinates would
    not do: files round them, each crop in another way.

    Parameters
    ----------
    source : Grid
    anchor : (3,) int, optional
        Voxel of the source whose centre is that of a voxel of the network's grid; by default the
        middle one. No matter if the source is not resampled.

    Attributes
    ----------
    grid : Grid
        The network's grid.
    lossless : bool
        Whether both transforms only move voxels.
    to_source, to_network : (4, 4) float64 array
        From voxel indices of the network's grid to those of the source, and back.

    Raises
    ------
    CaseError
        If the field of view is too large for a head.
    """

    def __init__(self, source: Grid, anchor: Sequence[int] | None = None) -> None:
        self.source = source
        along_axes = reoriented(source)
        oblique = _obliquity(along_axes.affine) > MAX_OBLIQUITY
        off_size = np.abs(along_axes.spacing - 1) > SPACING_TOLERANCE
        self.lossless = not oblique and not bool(off_size.any())
        if self.lossless:
            self.grid = along_axes
            self.to_network = index_transform(source, NETWORK_AXES)
            self.to_source = np.asarray(np.rint(np.linalg.inv(self.to_network)))
            return
        step = np.where(off_size, 1.0, along_axes.spacing)
        axes = along_axes.affine[:3, :3] / along_axes.spacing
        self._resample_along(np.diag([-1.0, -1.0, 1.0]) if oblique else axes * step, anchor)

    def _resample_along(self, steps: npt.NDArray[np.float64], anchor: Sequence[int] | None) -> None:
        """Choose the grid with the given steps (columns, mm) that contains the image."""
        steps = _rounded(np.linalg.solve(self.source.affine[:3, :3], steps))
        back = np.linalg.inv(steps)
        self._reach = reach(steps)
        ends = [(-1 - p, n + p) for n, p in zip(self.source.shape, self._reach, strict=True)]
        at = np.array([n // 2 for n in self.source.shape] if anchor is None else anchor)
        # The image is interpolated to zero at these corners.
        corners = (np.stack(np.meshgrid(*ends), axis=-1).reshape(-1, 3) - at) @ back.T
        first = np.floor(corners.min(axis=0)) + 1
        shape = np.ceil(corners.max(axis=0)) - first
        if np.prod(shape) > MAX_NETWORK_VOXELS:
            raise _not_a_head("large", shape, self.source)
        self.to_source = _about(steps, -first, at)
        self.to_network = _about(_rounded(back), at, -first)
        i, j, k = (int(n) for n in shape)
        self.grid = Grid((i, j, k), self.source.affine @ self.to_source)

    def volume_to_network(self, volume: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Transform an image to the network's grid.

        Parameters
        ----------
        volume : (i, j, k) array on the source grid

        Returns
        -------
        (l, p, s) array
            A view if lossless. Else float32, linearly interpolated between the voxels that are not
            zero (normalised convolution, Knutsson and Westin 1993), so that the image does not
            fade where it or its file ends; zero where they have less than half of the weight.
        """
        if self.lossless:
            return to_axes(volume, self.source)
        result = np.zeros(self.grid.shape, dtype=np.float32)
        box = affected_box(bounding_box(volume != 0), self.to_source, self.grid.shape)
        padded, to_padded = _padded(volume, self.to_source, self._reach)
        to_padded = to_padded @ translation([span.start for span in box])
        seen = interpolate(padded, to_padded, result[box].shape)
        weight = interpolate(padded != 0, to_padded, seen.shape)
        np.divide(seen, weight, out=result[box], where=weight >= _LEAST_INSIDE)
        return result

    def labels_to_network(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Transform tissue classes (i, j, k) to the network's grid (l, p, s), uint8."""
        if self.lossless:
            return np.ascontiguousarray(to_axes(labels, self.source))
        # One voxel more: where a lesion is cut off, half of a voxel is background in the same way.
        padded = _padded(labels, self.to_source, self._reach + 1)
        return interpolate_labels(*padded, self.grid.shape)

    def labels_to_source(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Transform tissue classes (l, p, s) to the source grid (i, j, k), uint8.

        If lossless, a copy with the same memory layout.
        """
        if self.lossless:
            return from_axes(labels, self.source).copy(order="K")
        return interpolate_labels(labels, self.to_network, self.source.shape)

    def probabilities_to_source(
        self, probabilities: npt.NDArray[np.float32], start: Sequence[int] = (0, 0, 0)
    ) -> npt.NDArray[np.float32]:
        """Transform class probabilities to the source grid.

        Parameters
        ----------
        probabilities : (class, l, p, s) array
            Of a box of the network's grid, which may extend beyond its ends.
        start : (3,) int
            First voxel of the box.

        Returns
        -------
        (class, i, j, k) float32 array
            Outside the box the background has probability 1.
        """
        if self.lossless:
            return np.stack([from_axes(p, self.source) for p in self._placed(probabilities, start)])
        to_box = self.to_network.copy()
        to_box[:3, 3] -= start
        tumour = np.stack([interpolate(p, to_box, self.source.shape) for p in probabilities[1:]])
        return np.concatenate([1 - tumour.sum(axis=0, keepdims=True), tumour])

    def _placed(
        self, probabilities: npt.NDArray[np.float32], start: Sequence[int]
    ) -> npt.NDArray[np.float32]:
        """Class probabilities of a box, on the whole of the network's grid."""
        in_box, in_grid = overlap(start, probabilities.shape[1:], self.grid.shape)
        whole = np.zeros((len(probabilities), *self.grid.shape), dtype=np.float32)
        whole[0] = 1
        whole[(slice(None), *in_grid)] = probabilities[(slice(None), *in_box)]
        return whole


def _padded(
    volume: npt.NDArray[Scalar], to_volume: Affine, width: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[Scalar], Affine]:
    """The volume with zeros around it, and the transform of voxel indices to it.

    With as many as smoothing reaches, it is not smoothed in another way where a file ends.
    """
    if not width.any():
        return volume, to_volume
    to_padded = to_volume.copy()
    to_padded[:3, 3] += width
    return np.pad(volume, [(n, n) for n in width]), to_padded


def _rounded(matrix: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """To multiples of 2**-30, whose sums and products with voxel indices have no rounding errors.

    So a crop is sampled at the same places to the last bit, and voxels of 1 mm at their centres.
    """
    return np.asarray(np.rint(matrix * 2.0**30) / 2.0**30)


def _about(
    matrix: npt.NDArray[np.float64], fixed: npt.ArrayLike, image: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """The transform (4, 4) with this matrix (3, 3) that takes one voxel to another."""
    transform = np.eye(4)
    transform[:3, :3] = matrix
    transform[:3, 3] = np.asarray(image) - matrix @ np.asarray(fixed)
    return transform


def _obliquity(affine: Affine) -> float:
    """Compute the largest angle between the axes, in L, P, S order, and the patient's, in degrees.

    90 if the axes are not orthogonal.
    """
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3:
        return 90.0
    cosines = np.diag(np.diag([-1.0, -1.0, 1.0]) @ axes)
    return float(np.degrees(np.arccos(np.clip(cosines, -1, 1)).max()))


def _millimetres(lengths: Sequence[float] | npt.NDArray[np.float64]) -> str:
    return " x ".join(f"{x:.4g}" for x in lengths) + " mm"
