"""The network's grid of a case, and the transforms to it and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from smalltumor.errors import CaseError
from smalltumor.geometry.grid import Affine, Grid, from_axes, reoriented, to_axes
from smalltumor.geometry.resampling import resample, resample_labels

SPACING_TOLERANCE = 0.01
"""Largest deviation from 1 mm voxels, relative, that is not resampled: 2.4 mm in a head of 240."""

MAX_OBLIQUITY = 12.0
"""Largest rotation of the head, in degrees, that is not resampled; augmentation uses up to 10."""

MAX_NETWORK_VOXELS = 2**28
"""Largest grid; a head at 1 mm has about 10 million voxels, so a larger one has a wrong header."""


class NetworkGrid:
    """Transform between a source grid and the network's grid.

    The network's grid has L, P, S axes and voxels of 1 mm. A source with these axes in another
    order or direction is permuted and reversed, without loss. A source with other voxel sizes is
    resampled along its own axes. A source whose axes are oblique by more than `MAX_OBLIQUITY`
    degrees, or not orthogonal, is resampled along the patient's axes.

    Parameters
    ----------
    source : Grid

    Attributes
    ----------
    grid : Grid
        The network's grid.
    lossless : bool
        Whether both transforms only move voxels.

    Raises
    ------
    CaseError
        If the field of view is too large for a head.
    """

    def __init__(self, source: Grid) -> None:
        self.source = source
        self._reoriented = reoriented(source)
        oblique = _obliquity(self._reoriented.affine) > MAX_OBLIQUITY
        off_size = np.abs(self._reoriented.spacing - 1) > SPACING_TOLERANCE
        self.lossless = not oblique and not bool(off_size.any())
        if self.lossless:
            self.grid = self._reoriented
        elif oblique:
            self.grid = _grid_around(source, np.diag([-1.0, -1.0, 1.0]))
        else:
            step = np.where(off_size, 1.0, self._reoriented.spacing)
            axes = self._reoriented.affine[:3, :3] / self._reoriented.spacing
            self.grid = _grid_around(source, axes * step)

    @cached_property
    def _to_source(self) -> Affine:
        """From voxel indices of the network's grid to those of the source."""
        return np.asarray(np.linalg.inv(self.source.affine) @ self.grid.affine)

    def volume_to_network(self, volume: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Transform an image to the network's grid.

        Parameters
        ----------
        volume : (i, j, k) array on the source grid

        Returns
        -------
        (l, p, s) array
            A view if lossless; else float32, linearly interpolated (so that a background of zeros
            stays zero), and zero outside the source.
        """
        if self.lossless:
            return to_axes(volume, self.source)
        return resample(volume, self.source, self.grid)

    def labels_to_network(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Transform tissue classes (i, j, k) to the network's grid (l, p, s), uint8."""
        if self.lossless:
            return np.ascontiguousarray(to_axes(labels, self.source))
        return resample_labels(labels, self.source, self.grid)

    def labels_to_source(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Transform tissue classes (l, p, s) to the source grid (i, j, k), uint8.

        If lossless, a copy with the same memory layout.
        """
        if self.lossless:
            return from_axes(labels, self.source).copy(order="K")
        return resample_labels(labels, self.grid, self.source)

    def probabilities_to_source(
        self, probabilities: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Transform class probabilities (class, l, p, s) to the source grid (class, i, j, k).

        Outside the network's grid the background has probability 1.
        """
        if self.lossless:
            return np.stack([from_axes(p, self.source) for p in probabilities])
        tumour = np.stack([resample(p, self.grid, self.source) for p in probabilities[1:]])
        return np.concatenate([1 - tumour.sum(axis=0, keepdims=True), tumour])


def _obliquity(affine: Affine) -> float:
    """Compute the largest angle between the axes, in L, P, S order, and the patient's, in degrees.

    90 if the axes are not orthogonal.
    """
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3:
        return 90.0
    cosines = np.diag(np.diag([-1.0, -1.0, 1.0]) @ axes)
    return float(np.degrees(np.arccos(np.clip(cosines, -1, 1)).max()))


def _grid_around(source: Grid, step: npt.NDArray[np.float64]) -> Grid:
    """The smallest grid with the given axes (columns, mm) around the source's voxel centres."""
    corners = np.linalg.solve(step, source.corners().reshape(-1, 3).T)
    low, high = corners.min(axis=1), corners.max(axis=1)
    shape = np.ceil(high - low - 1e-6).astype(np.float64) + 1
    if np.prod(shape) > MAX_NETWORK_VOXELS:
        raise CaseError(
            f"a field of view of {_millimetres(shape)} is too large for a head; "
            f"check the voxel sizes in the header ({source.describe()})"
        )
    first = (low + high - (shape - 1)) / 2
    affine = np.eye(4)
    affine[:3, :3] = step
    affine[:3, 3] = step @ first
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)


def _millimetres(lengths: Sequence[float] | npt.NDArray[np.float64]) -> str:
    return " x ".join(f"{x:.4g}" for x in lengths) + " mm"
