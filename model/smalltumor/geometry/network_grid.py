"""The network's grid of a case, and the transforms to it and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.grid import Affine, Grid, reoriented
from smalltumor.geometry.reordered_grid import ReorderedGrid
from smalltumor.geometry.resampled_grid import ResampledGrid

SPACING_TOLERANCE = 0.01
"""Largest deviation from 1 mm voxels, relative, that is not resampled: 2.4 mm in a head of 240."""

MAX_OBLIQUITY = 12.0
"""Largest rotation of the head, in degrees, that is not resampled; augmentation uses up to 10."""


class NetworkGrid(Protocol):
    """Transform between a source grid and the network's grid, which has L, P, S axes and 1 mm.

    `network_grid_of` chooses how.

    Attributes
    ----------
    source : Grid
    grid : Grid
        The network's grid.
    lossless : bool
        Whether both transforms only move voxels.
    network_to_source, source_to_network : (4, 4) float64 array
        From voxel indices of one grid to those of the other.
    """

    source: Grid
    grid: Grid
    lossless: bool
    network_to_source: Affine
    source_to_network: Affine

    def volume_to_network(self, volume: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Transform an image (i, j, k) on the source grid to the network's grid (l, p, s)."""
        ...

    def labels_to_network(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Transform tissue classes (i, j, k) to the network's grid (l, p, s), uint8."""
        ...

    def labels_to_source(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Transform tissue classes (l, p, s) to the source grid (i, j, k), uint8."""
        ...

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
        ...


def network_grid_of(source: Grid, anchor: Sequence[int] | None = None) -> NetworkGrid:
    """The network's grid of a source.

    A source with L, P, S axes in another order or direction is permuted and reversed, without loss.
    A source with other voxel sizes is resampled along its own axes. A source whose axes are oblique
    by more than `MAX_OBLIQUITY` degrees, or not orthogonal, is resampled along the patient's axes.

    Parameters
    ----------
    source : Grid
    anchor : (3,) int, optional
        See `ResampledGrid`; no matter if the source is not resampled.

    Raises
    ------
    CaseError
        If the field of view is too large for a head.
    """
    along_axes = reoriented(source)
    oblique = _obliquity(along_axes.affine) > MAX_OBLIQUITY
    off_size = np.abs(along_axes.spacing - 1) > SPACING_TOLERANCE
    if not oblique and not off_size.any():
        return ReorderedGrid(source)
    if oblique:
        return ResampledGrid(source, np.diag([-1.0, -1.0, 1.0]), anchor)
    step = np.where(off_size, 1.0, along_axes.spacing)
    axes = along_axes.affine[:3, :3] / along_axes.spacing
    return ResampledGrid(source, axes * step, anchor)


def _obliquity(affine: Affine) -> float:
    """Compute the largest angle between the axes, in L, P, S order, and the patient's, in degrees.

    90 if the axes are not orthogonal.
    """
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3:
        return 90.0
    cosines = np.diag(np.diag([-1.0, -1.0, 1.0]) @ axes)
    return float(np.degrees(np.arccos(np.clip(cosines, -1, 1)).max()))
