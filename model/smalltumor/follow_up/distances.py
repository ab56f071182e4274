"""How near the lesions of two scans are to each other, in common coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.grid import Affine
from smalltumor.measures import LesionMeasures

TOLERANCE_MM = 2.0
"""Greatest distance after registration between voxel centres of lesions that belong together; in a
direction in which the voxels of a scan are longer, it is their length."""

_ROUNDING = 1e-6
"""Share of a distance, so that a gap of a voxel of 1 mm is not bridged and the next slice is."""

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Nearness:
    """Least distances between the voxels of lesions then and now; each array is (then, now).

    Parameters
    ----------
    relative : float64 array
        As shares of the tolerance; infinite for lesions that are farther from each other.
    mm : float64 array
        Of voxel centres, mm; infinite as `relative`.
    overlap : bool array
        Whether voxels of both are at one place: their centres are nearer than a voxel of the
        scan with the longer ones.
    """

    relative: npt.NDArray[np.float64]
    mm: npt.NDArray[np.float64]
    overlap: npt.NDArray[np.bool_]

    @property
    def linked(self) -> npt.NDArray[np.bool_]:
        """Which lesions belong together (then, now).

        Lesions that overlap do. A lesion that overlaps none, such as a small one that has shifted,
        belongs to those within the tolerance that overlap none either: what is beside a lesion that
        is there in both scans is another one.
        """
        near = np.isfinite(self.relative)
        alone_then = ~self.overlap.any(axis=1, keepdims=True)
        alone_now = ~self.overlap.any(axis=0, keepdims=True)
        return np.asarray(self.overlap | (near & alone_then & alone_now), dtype=np.bool_)


def nearness(
    then: Sequence[LesionMeasures],
    now: Sequence[LesionMeasures],
    then_to_common: Affine,
    now_to_common: Affine,
) -> Nearness:
    """Find how near the lesions of two scans are to each other.

    Parameters
    ----------
    then, now : sequence of LesionMeasures
    then_to_common, now_to_common : (4, 4) float64
        From patient coordinates of each scan to common ones, mm.
    """
    from scipy.spatial import cKDTree

    shape = len(then), len(now)
    found = Nearness(np.full(shape, np.inf), np.full(shape, np.inf), np.zeros(shape, np.bool_))
    if not found.relative.size:
        return found
    axes, voxel = _axes_and_voxel(then, then_to_common, now, now_to_common)
    reach = np.maximum(TOLERANCE_MM * (1 - _ROUNDING), voxel * (1 + _ROUNDING))
    to_axes: Affine = np.asarray(np.linalg.inv(axes), dtype=np.float64)
    trees = [
        (cKDTree(points / reach), points, points.min(axis=0) - reach, points.max(axis=0) + reach)
        for points in _points(then, then_to_common, to_axes)
    ]
    for b, points in enumerate(_points(now, now_to_common, to_axes)):
        for a, (tree, others, low, high) in enumerate(trees):
            near = points[np.all((points >= low) & (points <= high), axis=1)]
            distances, nearest = tree.query(near / reach, distance_upper_bound=1.0)
            reached = np.isfinite(distances)
            if reached.any():
                apart = near[reached] - others[nearest[reached]]
                found.relative[a, b] = distances[reached].min()
                found.mm[a, b] = np.linalg.norm(apart @ axes.T, axis=1).min()
                in_voxels = np.linalg.norm(apart / voxel, axis=1)
                found.overlap[a, b] = bool((in_voxels < 1 - _ROUNDING).any())
    return found


def _points(lesions: Sequence[LesionMeasures], to_common: Affine, to_axes: Affine) -> list[Points]:
    """Voxel centres of each lesion along the axes, mm."""
    found = []
    for each in lesions:
        assert each.lesion.indices is not None and each.lesion.grid is not None
        points = each.lesion.grid.to_patient(each.lesion.indices)
        found.append((points @ to_common[:3, :3].T + to_common[:3, 3]) @ to_axes.T)
    return found


def _axes_and_voxel(
    then: Sequence[LesionMeasures],
    to_common: Affine,
    now: Sequence[LesionMeasures],
    now_to_common: Affine,
) -> tuple[Affine, npt.NDArray[np.float64]]:
    """Axes of the scan with the longest voxels, as columns, and the longer voxels along them."""
    edges = [
        matrix[:3, :3] @ each.lesion.grid.affine[:3, :3]
        for lesions, matrix in ((then, to_common), (now, now_to_common))
        for each in lesions[:1]
        if each.lesion.grid is not None
    ]
    lengths = [np.linalg.norm(found, axis=0) for found in edges]
    longest = int(np.argmax([found.max() for found in lengths]))
    axes = edges[longest] / lengths[longest]
    along = np.max([np.abs(axes.T @ found).max(axis=1) for found in edges], axis=0)
    return np.asarray(axes, dtype=np.float64), np.asarray(along, dtype=np.float64)
