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
"""Greatest distance after registration between voxel centres of lesions that belong together, or
the longest voxel edge of both scans, if that is longer."""

CHANGED_VOLUME = 0.4
"""Relative change of the volume from which a lesion has grown or shrunk: that of a progression by
volume (RANO 2.0: Wen et al. 2023, doi 10.1200/JCO.23.01059)."""

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
    the lesions of a connected component of the graph belong together.

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
    pairs = _overlapping(
        _points(then, then_to_common), _points(now, now_to_common), _reach(then, now)
    )
    rows, columns = [a for a, _ in pairs], [len(then) + b for _, b in pairs]
    graph = coo_matrix((np.ones(len(pairs)), (rows, columns)), shape=(count, count))
    number, groups = connected_components(graph, directed=False)
    changes = []
    for group in range(number):
        members = np.flatnonzero(groups == group).tolist()
        before = tuple(then[n] for n in members if n < len(then))
        after = tuple(now[n - len(then)] for n in members if n >= len(then))
        changes.append(LesionChange(_change(before, after), _sorted(before), _sorted(after)))
    return sorted(changes, key=_rank)


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


def _overlapping(
    then: Sequence[Points], now: Sequence[Points], reach: float
) -> list[tuple[int, int]]:
    """Pairs of lesions with voxels within reach of each other."""
    from scipy.spatial import cKDTree

    trees = [cKDTree(points) for points in then]
    boxes_then = [(p.min(axis=0) - reach, p.max(axis=0) + reach) for p in then]
    pairs = []
    for b, points in enumerate(now):
        for a, (low, high) in enumerate(boxes_then):
            near = points[np.all((points >= low) & (points <= high), axis=1)]
            if not len(near):
                continue
            distances, _ = trees[a].query(near, distance_upper_bound=reach)
            if np.isfinite(distances).any():
                pairs.append((a, b))
    return pairs


def _points(lesions: Sequence[LesionMeasures], to_common: Affine) -> list[Points]:
    found = []
    for each in lesions:
        assert each.lesion.indices is not None and each.lesion.grid is not None
        points = each.lesion.grid.to_patient(each.lesion.indices)
        found.append(points @ to_common[:3, :3].T + to_common[:3, 3])
    return found


def _reach(then: Sequence[LesionMeasures], now: Sequence[LesionMeasures]) -> float:
    grids = [each.lesion.grid for each in (*then[:1], *now[:1]) if each.lesion.grid is not None]
    return max([TOLERANCE_MM, *(float(grid.spacing.max()) for grid in grids)])


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
