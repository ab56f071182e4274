"""What a scan is assessed by: sums of products, volumes and changes of lesions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from smalltumor.follow_up.matching import ChangeKind, LesionChange
from smalltumor.measures import LesionMeasures

PROGRESSION = 1.25
"""Sum of products relative to the smallest earlier one that is a progression (RANO: Wen et al.
2010, doi 10.1200/JCO.2009.26.3541)."""


@dataclass(frozen=True)
class ResponseMeasures:
    """What a scan is assessed by.

    Parameters
    ----------
    sums_mm2 : sequence of (float or None)
        Sum of the products of the target lesions, from the first scan to this one; None without
        target lesions.
    since : sequence of (sequence of LesionChange)
        From each earlier scan to this one, the first scan first.
    lesions : sequence of LesionMeasures
        Of this scan.
    target_is_measurable : bool
        Whether a target lesion is measurable in this scan.
    volumes_mm3 : sequence of float
        Of the target lesions at each scan.
    """

    sums_mm2: Sequence[float | None]
    since: Sequence[Sequence[LesionChange]]
    lesions: Sequence[LesionMeasures]
    target_is_measurable: bool
    volumes_mm3: Sequence[float]

    @property
    def earlier_sums(self) -> list[float]:
        """The sums of the scans before this one that have one."""
        return [value for value in self.sums_mm2[:-1] if value is not None]

    @property
    def has_increased(self) -> bool:
        """Whether the sum is that of a progression."""
        current, earlier = self.sums_mm2[-1], self.earlier_sums
        return bool(current and earlier and current >= PROGRESSION * min(earlier))

    @property
    def is_increase_of_measurable(self) -> bool:
        """Whether the sum is that of a progression, and a target lesion is measurable."""
        return self.has_increased and self.target_is_measurable

    @property
    def growth(self) -> float | None:
        """Volume of the target lesions relative to the scan with the smallest sum; None if 0."""
        sums = [np.inf if value is None else value for value in self.sums_mm2[:-1]]
        return self._relative_volume(int(np.argmin(sums)))

    @property
    def volume_since_first(self) -> float | None:
        """Volume of the target lesions relative to the first scan; None if that was 0."""
        return self._relative_volume(0)

    def _relative_volume(self, scan: int) -> float | None:
        before = self.volumes_mm3[scan]
        return self.volumes_mm3[-1] / before if before else None

    @property
    def new(self) -> list[LesionChange]:
        """Lesions that the first scan does not show, or not the scan before."""
        since_first, since_last = self.since[0], self.since[-1]
        new = [change for change in since_first if change.kind is ChangeKind.NEW]
        new_ids = {lesion.lesion.id for change in new for lesion in change.current}
        new += [
            change
            for change in since_last
            if change.kind is ChangeKind.NEW
            and not new_ids.intersection(lesion.lesion.id for lesion in change.current)
        ]
        return new

    @property
    def not_comparable(self) -> list[LesionChange]:
        """Lesions whose place an earlier scan or this one does not show."""
        return [x for x in chain.from_iterable(self.since) if x.kind is ChangeKind.NOT_COMPARABLE]

    @property
    def targets_are_comparable(self) -> bool:
        """Whether no lesion that cannot be compared is measurable, as target lesions are."""
        lesions = chain.from_iterable((*x.earlier, *x.current) for x in self.not_comparable)
        return not any(map(is_measurable, lesions))

    @property
    def meaning_of_new(self) -> str:
        """What new means after the second scan, of which the table of changes does not tell."""
        return "" if len(self.since) == 1 else " (not shown by the first scan, or the one before)"


def lesions_of(changes: Sequence[LesionChange]) -> list[LesionMeasures]:
    """The lesions of this scan, by their numbers."""
    lesions = chain.from_iterable(change.current for change in changes)
    return sorted(lesions, key=lambda lesion: lesion.lesion.id)


def became_measurable(change: LesionChange) -> bool:
    """Whether lesions that were not measurable have grown, merged or split, and one is now."""
    if (
        not change.earlier
        or any(map(is_measurable, change.earlier))
        or not any(map(is_measurable, change.current))
    ):
        return False
    return change.has_grown


def is_measurable(lesion: LesionMeasures) -> bool:
    """Whether a lesion is measurable by RANO, see `AxialDiameters.measurable`."""
    return lesion.lesion.axial is not None and lesion.lesion.axial.measurable
