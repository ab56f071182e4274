"""Lesions of two scans that belong together, and how they have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.grid import Affine
from smalltumor.measures import LesionMeasures

TOLERANCE_MM = 2.0
"""Greatest distance after registration between voxel centres of lesions that belong together; in a
direction in which the voxels of a scan are longer, it is their length."""

CHANGED_VOLUME = 0.4
"""Relative change of the volume from which a lesion has grown or shrunk: that of a progression by
volume as others read RANO 2.0 (Wen et al. 2023, doi 10.1200/JCO.23.01059)."""

_ROUNDING = 1e-6
"""Share of a distance, so that a gap of a voxel of 1 mm is not bridged and the next slice is."""

Points = npt.NDArray[np.float64]


class Change(StrEnum):
    """What has become of lesions, in the order of a table."""

    NEW = "new"
    GROWN = "grown"
    MERGED = "merged"
    """Several lesions have become one, or fewer."""
    SPLIT = "split"
    """One lesion has become several, or several have become more, or as many."""
    SAME = "same"
    SHRUNK = "shrunk"
    GONE = "gone"


@dataclass(frozen=True)
class LesionChange:
    """Lesions of both scans that belong together.

    Parameters
    ----------
    change : Change
    then, now : tuple of LesionMeasures
        The largest first; one of both may be empty.
    """

    change: Change
    then: tuple[LesionMeasures, ...]
    now: tuple[LesionMeasures, ...]

    @property
    def then_mm3(self) -> float | None:
        """Volume then; None if there was no lesion."""
        return _volume(self.then)

    @property
    def now_mm3(self) -> float | None:
        """Volume now; None if there is no lesion."""
        return _volume(self.now)

    @property
    def relative(self) -> float | None:
        """Change of the volume as a share of that then; None for what is new or gone."""
        if not self.then or not self.now:
            return None
        return sum(x.lesion.mm3 for x in self.now) / sum(x.lesion.mm3 for x in self.then) - 1

    @property
    def is_small(self) -> bool:
        """Whether every lesion now, or then if it is gone, is small."""
        return all(each.lesion.small for each in self.now or self.then)


def match_lesions(
    then: Sequence[LesionMeasures],
    now: Sequence[LesionMeasures],
    then_to_common: Affine,
    now_to_common: Affine,
) -> list[LesionChange]:
    """Match the lesions of two scans by overlap with a tolerance.

    Lesions are nodes of a bipartite graph, joined where voxels of both are within the tolerance;
    the lesions of a connected component of the graph belong together. In thick slices, the
    tolerance is that of `TOLERANCE_MM` within the slice, and one slice across.

    Parameters
    ----------
    then, now : sequence of LesionMeasures
    then_to_common, now_to_common : (4, 4) float64
        From patient coordinates of each scan to common ones, mm.

    Returns
    -------
    list of LesionChange
        New ones first, small ones before large ones; then in the order of `Change`.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(then) + len(now)
    if not count:
        return []
    near = np.isfinite(relative_distances(then, now, then_to_common, now_to_common))
    rows, columns = np.nonzero(near)
    graph = coo_matrix((np.ones(len(rows)), (rows, columns + len(then))), shape=(count, count))
    number, groups = connected_components(graph, directed=False)
    changes = []
    for group in range(number):
        members = np.flatnonzero(groups == group).tolist()
        before = tuple(then[n] for n in members if n < len(then))
        after = tuple(now[n - len(then)] for n in members if n >= len(then))
        changes.append(LesionChange(_change(before, after), _sorted(before), _sorted(after)))
    return sorted(changes, key=_rank)


def relative_distances(
    then: Sequence[LesionMeasures],
    now: Sequence[LesionMeasures],
    then_to_common: Affine,
    now_to_common: Affine,
) -> npt.NDArray[np.float64]:
    """Least distances (then, now) between voxels of lesions, as shares of the tolerance.

    Infinite for lesions that are farther from each other than the tolerance.
    """
    from scipy.spatial import cKDTree

    found = np.full((len(then), len(now)), np.inf)
    if not found.size:
        return found
    scaled = _to_reaches(then, then_to_common, now, now_to_common)
    trees = [
        (cKDTree(points), points.min(axis=0) - 1, points.max(axis=0) + 1)
        for points in _points(then, then_to_common, scaled)
    ]
    for b, points in enumerate(_points(now, now_to_common, scaled)):
        for a, (tree, low, high) in enumerate(trees):
            near = points[np.all((points >= low) & (points <= high), axis=1)]
            if len(near):
                found[a, b] = tree.query(near, distance_upper_bound=1.0)[0].min()
    return found


def _change(then: Sequence[LesionMeasures], now: Sequence[LesionMeasures]) -> Change:
    if not then:
        return Change.NEW
    if not now:
        return Change.GONE
    if len(then) > len(now):
        return Change.MERGED
    if len(now) > 1:
        return Change.SPLIT
    return _change_of_size(then[0], now[0])


def _change_of_size(then: LesionMeasures, now: LesionMeasures) -> Change:
    """By relative volume, and by the diameter, which has to change by a voxel at least."""
    relative = now.lesion.mm3 / then.lesion.mm3 - 1
    difference = abs(now.equivalent_diameter_mm - then.equivalent_diameter_mm)
    voxel = max(_voxel_mm3(then), _voxel_mm3(now)) ** (1 / 3)
    if abs(relative) < CHANGED_VOLUME or difference < voxel:
        return Change.SAME
    return Change.GROWN if relative > 0 else Change.SHRUNK


def _points(lesions: Sequence[LesionMeasures], to_common: Affine, scaled: Affine) -> list[Points]:
    """Voxel centres of each lesion in units of the tolerance."""
    found = []
    for each in lesions:
        assert each.lesion.indices is not None and each.lesion.grid is not None
        points = each.lesion.grid.to_patient(each.lesion.indices)
        found.append((points @ to_common[:3, :3].T + to_common[:3, 3]) @ scaled.T)
    return found


def _to_reaches(
    then: Sequence[LesionMeasures],
    to_common: Affine,
    now: Sequence[LesionMeasures],
    now_to_common: Affine,
) -> Affine:
    """Matrix (3, 3) from common coordinates in mm to the tolerance in each direction.

    The directions are the axes of the scan with the longest voxels.
    """
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
    reach = np.maximum(TOLERANCE_MM * (1 - _ROUNDING), along * (1 + _ROUNDING))
    return np.asarray(np.linalg.inv(axes) / reach[:, None], dtype=np.float64)


def _voxel_mm3(each: LesionMeasures) -> float:
    return each.lesion.mm3 / each.lesion.voxels


def _volume(lesions: Sequence[LesionMeasures]) -> float | None:
    return sum(each.lesion.mm3 for each in lesions) if lesions else None


def _sorted(lesions: Sequence[LesionMeasures]) -> tuple[LesionMeasures, ...]:
    return tuple(sorted(lesions, key=lambda each: each.lesion.mm3, reverse=True))


def _rank(change: LesionChange) -> tuple[int, bool, float]:
    new = change.change is Change.NEW
    size = change.now_mm3 or change.then_mm3 or 0.0
    return list(Change).index(change.change), new and not change.is_small, -size
