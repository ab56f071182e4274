"""Lesions of two scans that belong together, and how they have changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from smalltumor.follow_up.distances import lesion_distances
from smalltumor.geometry.grid import Affine
from smalltumor.measures import LesionMeasures

CHANGED_VOLUME = 0.4
"""Relative change of the volume from which a lesion has grown or shrunk: that of a progression by
volume as others read RANO 2.0 (Wen et al. 2023, doi 10.1200/JCO.23.01059)."""


class ChangeKind(StrEnum):
    """What has become of lesions, in the order of a table."""

    NEW = "new"
    NOT_COMPARABLE = "not comparable"
    """One of the scans does not show the place, or only a part of it; see `Coverage`."""
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
    kind : ChangeKind
    earlier, current : tuple of LesionMeasures
        The largest first; one of both may be empty.
    beside_mm : float, optional
        Distance of a new lesion to the nearest earlier one, if it is within the tolerance.
    shown_earlier, shown_current : float
        Share of the voxels of the current lesions that the earlier scan shows, and of the earlier
        lesions that the current scan shows.
    bright_earlier : bool
        Whether a new lesion's place is bright in T1CE of the earlier scan, too; see
        `smalltumor.follow_up.local_contrast`.
    bright_current : bool
        Whether the place of a lesion that is gone is still bright in T1CE of the current scan.
    """

    kind: ChangeKind
    earlier: tuple[LesionMeasures, ...]
    current: tuple[LesionMeasures, ...]
    beside_mm: float | None = None
    shown_earlier: float = 1.0
    shown_current: float = 1.0
    bright_earlier: bool = False
    bright_current: bool = False

    @property
    def earlier_mm3(self) -> float | None:
        """Volume at the earlier scan; None if there was no lesion."""
        return _volume(self.earlier)

    @property
    def current_mm3(self) -> float | None:
        """Volume at the current scan; None if there is no lesion."""
        return _volume(self.current)

    @property
    def relative(self) -> float | None:
        """Change of the volume as a share of the earlier one.

        None for what is new, gone or not comparable.
        """
        if not self.earlier or not self.current or self.kind is ChangeKind.NOT_COMPARABLE:
            return None
        return sum(x.lesion.mm3 for x in self.current) / sum(x.lesion.mm3 for x in self.earlier) - 1

    @property
    def has_grown(self) -> bool:
        """Whether a lesion has grown, or several that merged or split have, by as much."""
        if self.kind in (ChangeKind.MERGED, ChangeKind.SPLIT):
            return self.relative is not None and self.relative >= CHANGED_VOLUME
        return self.kind is ChangeKind.GROWN

    @property
    def is_small(self) -> bool:
        """Whether every current lesion, or earlier one if it is gone, is small."""
        return all(each.lesion.is_small for each in self.current or self.earlier)


def match_lesions(
    earlier: Sequence[LesionMeasures],
    current: Sequence[LesionMeasures],
    earlier_to_common: Affine,
    current_to_common: Affine,
) -> list[LesionChange]:
    """Match the lesions of two scans by overlap, or else within a tolerance.

    Lesions are nodes of a bipartite graph, joined as `LesionDistances.linked` says; the lesions of
    a connected component of the graph belong together. In thick slices, the tolerance is that of
    `TOLERANCE_MM` within the slice, and one slice across.

    Parameters
    ----------
    earlier, current : sequence of LesionMeasures
    earlier_to_common, current_to_common : (4, 4) float64
        From patient coordinates of each scan to common ones, mm.

    Returns
    -------
    list of LesionChange
        New ones first, small ones before large ones; then in the order of `ChangeKind`.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(earlier) + len(current)
    if not count:
        return []
    near = lesion_distances(earlier, current, earlier_to_common, current_to_common)
    beside = near.mm.min(axis=0, initial=np.inf)
    rows, columns = np.nonzero(near.linked)
    graph = coo_matrix((np.ones(len(rows)), (rows, columns + len(earlier))), shape=(count, count))
    number, groups = connected_components(graph, directed=False)
    changes = []
    for group in range(number):
        members = np.flatnonzero(groups == group).tolist()
        before = tuple(earlier[n] for n in members if n < len(earlier))
        after = tuple(current[n - len(earlier)] for n in members if n >= len(earlier))
        mm = min((beside[n - len(earlier)] for n in members if not before), default=np.inf)
        beside_mm = float(mm) if np.isfinite(mm) else None
        kind = _kind(before, after)
        changes.append(LesionChange(kind, _sorted(before), _sorted(after), beside_mm))
    return ranked(changes)


def ranked(changes: Iterable[LesionChange]) -> list[LesionChange]:
    """Changes in the order of a table: by kind, and the largest first; of new ones, the small."""
    return sorted(changes, key=_rank)


def _kind(earlier: Sequence[LesionMeasures], current: Sequence[LesionMeasures]) -> ChangeKind:
    if not earlier:
        return ChangeKind.NEW
    if not current:
        return ChangeKind.GONE
    if len(earlier) > len(current):
        return ChangeKind.MERGED
    if len(current) > 1:
        return ChangeKind.SPLIT
    return _kind_by_size(earlier[0], current[0])


def _kind_by_size(earlier: LesionMeasures, current: LesionMeasures) -> ChangeKind:
    """By relative volume, and by the diameter, which has to change by a voxel at least."""
    relative = current.lesion.mm3 / earlier.lesion.mm3 - 1
    difference = abs(current.equivalent_diameter_mm - earlier.equivalent_diameter_mm)
    voxel = max(_voxel_mm3(earlier), _voxel_mm3(current)) ** (1 / 3)
    if abs(relative) < CHANGED_VOLUME or difference < voxel:
        return ChangeKind.SAME
    return ChangeKind.GROWN if relative > 0 else ChangeKind.SHRUNK


def _voxel_mm3(each: LesionMeasures) -> float:
    return each.lesion.mm3 / each.lesion.voxels


def _volume(lesions: Sequence[LesionMeasures]) -> float | None:
    return sum(each.lesion.mm3 for each in lesions) if lesions else None


def _sorted(lesions: Sequence[LesionMeasures]) -> tuple[LesionMeasures, ...]:
    return tuple(sorted(lesions, key=lambda each: each.lesion.mm3, reverse=True))


def _rank(change: LesionChange) -> tuple[int, bool, float]:
    new = change.kind is ChangeKind.NEW
    size = change.current_mm3 or change.earlier_mm3 or 0.0
    return list(ChangeKind).index(change.kind), new and not change.is_small, -size
