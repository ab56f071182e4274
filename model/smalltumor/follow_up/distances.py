"""How near the lesions of two scans are to each other, in common coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

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

SHIFTED_MM3 = 250.0
"""Volume from which a lesion is the same as another one, shifted, if it lies along it."""

_ALONG = 0.15
"""Least part of a lesion within the tolerance of one that it lies along. Of a rim, 3 or 4 mm thick,
that has moved by its thickness it is a sixth at least, even if registered 1 mm wrong; of a ball of
`SHIFTED_MM3` beside a lesion it is a twentieth at most."""


@dataclass(frozen=True)
class LesionDistances:
    """Least distances between voxels of earlier and current lesions, as (earlier, current) arrays.

    Parameters
    ----------
    relative : float64 array
        As shares of the tolerance; infinite for lesions that are farther from each other.
    mm : float64 array
        Of voxel centres, mm; infinite as `relative`.
    overlap : bool array
        Whether voxels of both are at one place: their centres are nearer than a voxel of the
        scan with the longer ones.
    shifted : bool array
        Whether one of both lies along the other, as a rim does that has moved.
    """

    relative: npt.NDArray[np.float64]
    mm: npt.NDArray[np.float64]
    overlap: npt.NDArray[np.bool_]
    shifted: npt.NDArray[np.bool_]

    @property
    def linked(self) -> npt.NDArray[np.bool_]:
        """Which lesions belong together (earlier, current).

        Lesions that overlap do, and a rim and its piece that has shifted. A lesion that overlaps
        none, such as a small one that has shifted, belongs to those within the tolerance that
        overlap none either: what is beside a lesion that is there in both scans is another one.
        """
        near = np.isfinite(self.relative)
        alone_earlier = ~self.overlap.any(axis=1, keepdims=True)
        alone_current = ~self.overlap.any(axis=0, keepdims=True)
        return np.asarray(
            self.overlap | self.shifted | (near & alone_earlier & alone_current), dtype=np.bool_
        )


def lesion_distances(
    earlier: Sequence[LesionMeasures],
    current: Sequence[LesionMeasures],
    earlier_to_common: Affine,
    current_to_common: Affine,
) -> LesionDistances:
    """Find how near the lesions of two scans are to each other.

    Parameters
    ----------
    earlier, current : sequence of LesionMeasures
    earlier_to_common, current_to_common : (4, 4) float64
        From patient coordinates of each scan to common ones, mm.
    """
    shape = len(earlier), len(current)
    far, none = np.full(shape, np.inf), np.zeros(shape, np.bool_)
    distances = LesionDistances(far, far.copy(), none, none.copy())
    if not far.size:
        return distances
    axes, voxel = _axes_and_voxel(earlier, earlier_to_common, current, current_to_common)
    reach = np.maximum(TOLERANCE_MM * (1 - _ROUNDING), voxel * (1 + _ROUNDING))
    to_axes: Affine = np.asarray(np.linalg.inv(axes), dtype=np.float64)
    before = _voxels_of(earlier, earlier_to_common, to_axes, reach)
    after = _voxels_of(current, current_to_common, to_axes, reach)
    in_reach, in_voxels = np.diag(1 / reach), np.diag(1 / voxel)
    for a, one in enumerate(before):
        for b, other in enumerate(after):
            relative = _distances(one, other, in_reach, 1.0)
            if not relative.size:
                continue
            distances.relative[a, b] = relative.min()
            distances.mm[a, b] = _distances(one, other, axes.T, float(np.linalg.norm(reach))).min()
            distances.overlap[a, b] = _distances(one, other, in_voxels, 1 - _ROUNDING).size > 0
            distances.shifted[a, b] = _lies_along(earlier[a], relative) or _lies_along(
                current[b], _distances(other, one, in_reach, 1.0)
            )
    return distances


def _lies_along(each: LesionMeasures, distances: npt.NDArray[np.float64]) -> bool:
    return each.lesion.mm3 >= SHIFTED_MM3 and len(distances) >= _ALONG * each.lesion.voxels


class _Voxels(NamedTuple):
    """Voxel centres (n, 3) of a lesion along common axes, mm, and the box within their reach."""

    points: Points
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    def near(self, other: _Voxels) -> Points:
        """The points in the box of another lesion."""
        inside = np.all((self.points >= other.low) & (self.points <= other.high), axis=1)
        return np.asarray(self.points[inside])


def _distances(
    one: _Voxels, other: _Voxels, scale: npt.NDArray[np.float64], most: float
) -> npt.NDArray[np.float64]:
    """Of the voxels of one lesion that are nearer to another one than `most`, the distances.

    Points are multiplied by the matrix `scale` (3, 3) first.
    """
    from scipy.spatial import cKDTree

    if np.any(one.low > other.high) or np.any(other.low > one.high):
        return np.zeros(0)
    own, others = one.near(other), other.near(one)
    if not len(own) or not len(others):
        return np.zeros(0)
    distances, _ = cKDTree(others @ scale).query(own @ scale, distance_upper_bound=most)
    return np.asarray(distances[np.isfinite(distances)])


def _voxels_of(
    lesions: Sequence[LesionMeasures],
    to_common: Affine,
    to_axes: Affine,
    reach: npt.NDArray[np.float64],
) -> list[_Voxels]:
    """The voxels of each lesion along the axes, and what is within a reach (3,) of them, mm."""
    voxels = []
    for each in lesions:
        assert each.lesion.indices is not None and each.lesion.grid is not None
        in_patient = each.lesion.grid.to_patient(each.lesion.indices)
        points = (in_patient @ to_common[:3, :3].T + to_common[:3, 3]) @ to_axes.T
        voxels.append(_Voxels(points, points.min(axis=0) - reach, points.max(axis=0) + reach))
    return voxels


def _axes_and_voxel(
    earlier: Sequence[LesionMeasures],
    to_common: Affine,
    current: Sequence[LesionMeasures],
    current_to_common: Affine,
) -> tuple[Affine, npt.NDArray[np.float64]]:
    """Axes of the scan with the longest voxels, as columns, and the longer voxels along them."""
    edges = [
        matrix[:3, :3] @ each.lesion.grid.affine[:3, :3]
        for lesions, matrix in ((earlier, to_common), (current, current_to_common))
        for each in lesions[:1]
        if each.lesion.grid is not None
    ]
    lengths = [np.linalg.norm(found, axis=0) for found in edges]
    longest = int(np.argmax([found.max() for found in lengths]))
    axes = edges[longest] / lengths[longest]
    along = np.max([np.abs(axes.T @ found).max(axis=1) for found in edges], axis=0)
    return np.asarray(axes, dtype=np.float64), np.asarray(along, dtype=np.float64)
