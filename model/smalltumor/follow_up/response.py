"""RANO's category of enhancing disease, as far as measures alone decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain

import numpy as np

from smalltumor.follow_up.distances import TOLERANCE_MM
from smalltumor.follow_up.matching import CHANGED_VOLUME, Change, LesionChange
from smalltumor.measures import LesionMeasures

PROGRESSION, RESPONSE = 1.25, 0.5
"""Sum of products relative to the smallest earlier one, and to the first, that are a progression
and a partial response (RANO: Wen et al. 2010, doi 10.1200/JCO.2009.26.3541)."""

_PROGRESSION_MM3, _RESPONSE_MM3 = 1.4, 0.35
"""Volume relative to an earlier one that is a progression and a partial response in RANO 2.0."""

SUPPORTS_PROGRESSION, SUPPORTS_RESPONSE = _PROGRESSION_MM3**0.5, _RESPONSE_MM3**0.5
"""Relative volume of the target lesions from which, and up to which, it supports what the sum of
products says: half of the change that RANO 2.0 asks of volumes, on a logarithmic scale. Diameters
jump where a lesion beside a cavity falls into pieces, the volume does not."""

RULE = (
    "Complete response: the first scan had a measurable lesion, and no enhancing lesion is left. "
    "Progressive disease: the sum of the products of the target lesions is at least 25 % above the "
    "smallest earlier sum, and a target lesion is measurable; or a new lesion is measurable, which "
    "the first scan or the one before does not show; or lesions that were not measurable in an "
    "earlier scan have grown by 40 % since, and one is measurable now. Partial response: the sum "
    "is at least 50 % below that of the first scan, and no lesion is new. Else stable disease. Not "
    "evaluable, unless a new lesion, or one that has grown, is measurable: a scan does not show "
    "the place of a lesion of another one. Not evaluable either: by the sum it is progressive "
    "disease or a partial response, but the volume of the target lesions is below "
    f"{SUPPORTS_PROGRESSION:.0%}, or above "
    f"{SUPPORTS_RESPONSE:.0%}, of what it was. By RANO 2010 any new lesion is a progression; here "
    "it has to be measurable, as others read RANO 2.0."
)
BASIS = (
    "The rule follows published summaries of RANO and RANO 2.0, and has not been checked against "
    "their texts."
)
UNKNOWN = (
    "Not known here: corticosteroids, the clinical state, a confirming scan after at least four "
    "weeks, radiotherapy in the last twelve weeks, and disease without enhancement."
)


_MOST_NAMED = 5
"""New lesions that a reason names by their numbers; a mask with specks has dozens."""


class Category(StrEnum):
    """Category of response."""

    COMPLETE_RESPONSE = "complete response"
    PARTIAL_RESPONSE = "partial response"
    STABLE_DISEASE = "stable disease"
    PROGRESSIVE_DISEASE = "progressive disease"


@dataclass(frozen=True)
class Response:
    """The category, and why.

    Parameters
    ----------
    category : Category or None
        None if there is no progression, and the first scan has no measurable lesion, or lesions
        cannot be compared, or if sum of products and volume contradict each other.
    reasons : tuple of str
        Sentences without a full stop.
    sums_mm2 : tuple of (float or None)
        Sum of the products of the target lesions at each scan; None without target lesions.
    """

    category: Category | None
    reasons: tuple[str, ...]
    sums_mm2: tuple[float | None, ...]


@dataclass(frozen=True)
class Findings:
    """What a scan is assessed by.

    Parameters
    ----------
    sums_mm2 : sequence of (float or None)
        As of `Response`, from the first scan to this one.
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
        found = [change for change in since_first if change.change is Change.NEW]
        known = {each.lesion.id for change in found for each in change.current}
        found += [
            change
            for change in since_last
            if change.change is Change.NEW
            and not known.intersection(each.lesion.id for each in change.current)
        ]
        return found

    @property
    def not_comparable(self) -> list[LesionChange]:
        """Lesions whose place an earlier scan or this one does not show."""
        return [x for x in chain.from_iterable(self.since) if x.change is Change.NOT_COMPARABLE]

    @property
    def meaning_of_new(self) -> str:
        """What new means after the second scan, of which the table of changes does not tell."""
        return "" if len(self.since) == 1 else " (not shown by the first scan, or the one before)"


def assess(found: Findings) -> Response:
    """Assess a scan by RANO, as far as measures decide it; see `RULE`."""
    new, unknown = found.new, found.not_comparable
    reasons = _progression(found)
    category: Category | None = None
    if reasons:
        category = Category.PROGRESSIVE_DISEASE
    elif not unknown:
        category, reasons = _without_progression(found)
        if found.has_increased and not found.target_is_measurable:
            reasons.append("the sum has increased, but no target lesion is measurable")
    if small := [each for each in _lesions_of(new) if not _measurable(each)]:
        is_said = any(map(_measurable, _lesions_of(new)))
        reasons.append(_unmeasurable_text(small, "" if is_said else found.meaning_of_new, category))
    if unknown:
        current = found.sums_mm2[-1]
        if category is None and current is not None and found.earlier_sums:
            reasons.append(_sum_text(current, min(found.earlier_sums)))
        reasons.append(_not_comparable_text(unknown))
    return Response(category, tuple(reasons), tuple(found.sums_mm2))


def _without_progression(found: Findings) -> tuple[Category | None, list[str]]:
    """The category of a scan all of whose lesions can be compared, and why."""
    first, current = found.sums_mm2[0], found.sums_mm2[-1]
    if first is None or current is None:
        text = _measurable_text(found.lesions)
        return None, [f"the first scan has no measurable lesion, and {text}"]
    if not found.lesions:
        return Category.COMPLETE_RESPONSE, ["no enhancing lesion is left"]
    if found.has_increased and found.target_is_measurable:
        return None, [_sum_text(current, min(found.earlier_sums)) + _volume_text(found.growth)]
    if current <= RESPONSE * first and not found.new:
        text = f"the sum of products is {_percent(current, first)} of the first scan"
        shrinkage = found.volume_since_first
        if shrinkage is not None and shrinkage > SUPPORTS_RESPONSE:
            return None, [text + _volume_text(shrinkage)]
        return Category.PARTIAL_RESPONSE, [text]
    return Category.STABLE_DISEASE, [_sum_text(current, min(found.earlier_sums))]


def with_earlier_progression(last: Response, earlier: Sequence[tuple[str, Response]]) -> Response:
    """The response at the last scan, which also says when there was a progression before.

    Parameters
    ----------
    last : Response
    earlier : sequence of (str, Response)
        Titles of the scans between the first and the last, and their responses.
    """
    for title, response in earlier:
        if response.category is Category.PROGRESSIVE_DISEASE:
            reason = f"by the measures, there was a progression at {title} already"
            return replace(last, reasons=(*last.reasons, reason))
    return last


def _progression(found: Findings) -> list[str]:
    reasons, current = [], found.sums_mm2[-1]
    increased = found.has_increased and found.target_is_measurable
    supported = found.growth is None or found.growth >= SUPPORTS_PROGRESSION
    if current is not None and increased and supported and not found.not_comparable:
        reasons.append(_sum_text(current, min(found.earlier_sums)))
    if large := [each for each in _lesions_of(found.new) if _measurable(each)]:
        reasons.append(f"{_named(large)} measurable{found.meaning_of_new}{_beside_text(found.new)}")
    if any(map(_became_measurable, chain.from_iterable(found.since))):
        reasons.append("a lesion that was not measurable has grown and is measurable now")
    return reasons


def _not_comparable_text(changes: Sequence[LesionChange]) -> str:
    """That it is not known what has become of lesions, because a scan does not show them."""
    current = {each.lesion.id for change in changes for each in change.current}
    numbers = f" ({', '.join(map(str, sorted(current)))})" if current else ""
    return (
        f"lesions could not be compared{numbers}, because one of the scans does not show their "
        "place, or only a part of it"
    )


def _beside_text(new: Sequence[LesionChange]) -> str:
    """Which measurable new lesions may be pieces of a lesion that is in both scans."""
    beside = _lesions_of([change for change in new if change.beside_mm is not None])
    numbers = [str(each.lesion.id) for each in beside if _measurable(each)]
    if not numbers:
        return ""
    return (
        f"; {' and '.join(numbers)} within {TOLERANCE_MM:g} mm of a lesion that is in both scans, "
        "and perhaps a piece of it"
    )


def _unmeasurable_text(
    lesions: Sequence[LesionMeasures], meaning_of_new: str, category: Category | None
) -> str:
    text = f"{_named(lesions)} not measurable{meaning_of_new}"
    if category is Category.PROGRESSIVE_DISEASE:
        return text
    return f"{text}: by itself no progression, but no response either"


def _lesions_of(changes: Sequence[LesionChange]) -> list[LesionMeasures]:
    """The lesions of this scan, by their numbers."""
    found = chain.from_iterable(change.current for change in changes)
    return sorted(found, key=lambda each: each.lesion.id)


def _named(new: Sequence[LesionMeasures]) -> str:
    """Which new lesions, by their numbers in this scan, and the verb that follows."""
    numbers = [str(each.lesion.id) for each in new]
    if len(numbers) == 1:
        return f"new lesion {numbers[0]} is"
    if len(numbers) > _MOST_NAMED:
        named = ", ".join(numbers[:_MOST_NAMED])
        return f"new lesions {named} and {len(numbers) - _MOST_NAMED} more are"
    return f"new lesions {', '.join(numbers[:-1])} and {numbers[-1]} are"


def _became_measurable(change: LesionChange) -> bool:
    """Whether lesions that were not measurable have grown, merged or split, and one is now."""
    if not change.earlier or any(map(_measurable, change.earlier)) or not _is_measurable(change):
        return False
    return change.has_grown


def _is_measurable(change: LesionChange) -> bool:
    return any(map(_measurable, change.current))


def _measurable(each: LesionMeasures) -> bool:
    return each.lesion.axial is not None and each.lesion.axial.measurable


def _measurable_text(lesions: Sequence[LesionMeasures]) -> str:
    """What is measurable at the current scan, without a progression."""
    count = sum(map(_measurable, lesions))
    if not count:
        return "nothing is measurable now"
    verb = "lesion is" if count == 1 else "lesions are"
    return f"{count} {verb} measurable now, none of them new or grown by {CHANGED_VOLUME:.0%}"


def _sum_text(current: float, smallest: float) -> str:
    if not smallest:
        return f"the sum of products is {current:.0f} mm², and the smallest earlier one was 0"
    return f"the sum of products is {_percent(current, smallest)} of the smallest earlier one"


def _volume_text(relative: float | None) -> str:
    """That the volume of the target lesions does not support what the sum of products says."""
    share = "unknown" if relative is None else f"{relative:.0%}"
    return (
        f", but the volume of the target lesions is {share} of what it was at that scan; look at "
        "the diameters in both scans"
    )


def _percent(value: float, reference: float) -> str:
    return f"{value / reference:.0%}"
