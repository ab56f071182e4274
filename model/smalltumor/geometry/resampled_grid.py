"""The network's grid of a source that is interpolated to it.

Three frames of voxel indices occur. A matrix is named for the two that it connects:

source
    The image as it is in its file.
network
    The grid of 1 mm on which the network sees it.
padded
    The source with zeros around it, as many as smoothing reaches, so that an image is not smoothed
    in another way where its file ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.boxes import bounding_box
from smalltumor.geometry.field_of_view import field_of_view_error
from smalltumor.geometry.grid import Affine, Grid
from smalltumor.geometry.resampling import (
    affected_box,
    interpolate,
    interpolate_labels,
    reach,
    translation,
)

Scalar = TypeVar("Scalar", bound=np.generic)

MAX_NETWORK_VOXELS = 2**28
"""Largest grid; a head at 1 mm has about 10 million voxels, so a larger one has a wrong header."""

_MIN_INSIDE = 0.5
"""Weight of the image's voxels that are not zero from which an interpolated one is not."""


class ResampledGrid:
    """A `smalltumor.geometry.network_grid.NetworkGrid` between the voxels of its source.

    It is counted from one voxel of the source, the anchor, and contains all places where the image
    is not zero. An image that is cropped or padded by zeros is therefore sampled at the same
    places, if its anchor is the same voxel of the patient. Patient coordinates would not do: files
    round them, each crop in another way.

    Parameters
    ----------
    source : Grid
    steps_mm : (3, 3) float array
        From a voxel of the network's grid to the next along each axis: columns, in patient
        coordinates.
    anchor : (3,) int, optional
        Voxel of the source whose centre is that of a voxel of the network's grid; by default the
        middle one.

    Raises
    ------
    CaseError
        If the field of view is too large for a head.
    """

    lossless = False

    def __init__(
        self,
        source: Grid,
        steps_mm: npt.NDArray[np.float64],
        anchor: Sequence[int] | None = None,
    ) -> None:
        self.source = source
        network_to_source = _rounded(np.linalg.solve(source.affine[:3, :3], steps_mm))
        source_to_network = np.linalg.inv(network_to_source)
        self._reach = reach(network_to_source)
        at = np.array([n // 2 for n in source.shape] if anchor is None else anchor)
        from_anchor = (self._corners() - at) @ source_to_network.T
        first = np.floor(from_anchor.min(axis=0)) + 1
        shape = np.ceil(from_anchor.max(axis=0)) - first
        if np.prod(shape) > MAX_NETWORK_VOXELS:
            raise field_of_view_error("large", shape, source)
        self.network_to_source = _about(network_to_source, -first, at)
        self.source_to_network = _about(_rounded(source_to_network), at, -first)
        i, j, k = (int(n) for n in shape)
        self.grid = Grid((i, j, k), source.affine @ self.network_to_source)

    def _corners(self) -> npt.NDArray[np.int64]:
        """The voxels (8, 3) around the source at which the image is interpolated to zero."""
        ends = [(-1 - p, n + p) for n, p in zip(self.source.shape, self._reach, strict=True)]
        return np.stack(np.meshgrid(*ends), axis=-1).reshape(-1, 3)

    def volume_to_network(self, volume: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """See `NetworkGrid`.

        float32, linearly interpolated between the voxels that are not zero (normalised convolution,
        Knutsson and Westin 1993), so that the image does not fade where it or its file ends; zero
        where they have less than half of the weight.
        """
        result = np.zeros(self.grid.shape, dtype=np.float32)
        box = affected_box(bounding_box(volume != 0), self.network_to_source, self.grid.shape)
        padded, network_to_padded = self._padded(volume, self._reach)
        box_to_padded = network_to_padded @ translation([span.start for span in box])
        seen = interpolate(padded, box_to_padded, result[box].shape)
        weight = interpolate(padded != 0, box_to_padded, seen.shape)
        np.divide(seen, weight, out=result[box], where=weight >= _MIN_INSIDE)
        return result

    def labels_to_network(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """See `NetworkGrid`; the label whose interpolated mask is the largest."""
        # One voxel more: where a lesion is cut off, half of a voxel is background in the same way.
        padded, network_to_padded = self._padded(labels, self._reach + 1)
        return interpolate_labels(padded, network_to_padded, self.grid.shape)

    def labels_to_source(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """See `NetworkGrid`; the label whose interpolated mask is the largest."""
        return interpolate_labels(labels, self.source_to_network, self.source.shape)

    def probabilities_to_source(
        self, probabilities: npt.NDArray[np.float32], start: Sequence[int] = (0, 0, 0)
    ) -> npt.NDArray[np.float32]:
        """See `NetworkGrid`."""
        source_to_box = self.source_to_network.copy()
        source_to_box[:3, 3] -= start
        shape = self.source.shape
        tumour = np.stack([interpolate(p, source_to_box, shape) for p in probabilities[1:]])
        return np.concatenate([1 - tumour.sum(axis=0, keepdims=True), tumour])

    def _padded(
        self, volume: npt.NDArray[Scalar], width: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[Scalar], Affine]:
        """A volume of the source with zeros around it, and the transform from network to padded."""
        if not width.any():
            return volume, self.network_to_source
        network_to_padded = self.network_to_source.copy()
        network_to_padded[:3, 3] += width
        return np.pad(volume, [(n, n) for n in width]), network_to_padded


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
