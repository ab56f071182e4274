"""RANO's category of enhancing disease, as far as measures alone decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain

from smalltumor.follow_up.matching import CHANGED_VOLUME
from smalltumor.follow_up.reasons import (
    became_measurable_text,
    beside_text,
    beside_volume_text,
    bright_text,
    contradicting_volume_text,
    measurable_text,
    named_lesions,
    not_comparable_text,
    percent,
    still_bright_text,
    sum_text,
    unmeasurable_text,
)
from smalltumor.follow_up.response_measures import (
    PROGRESSION,
    ResponseMeasures,
    became_measurable,
    is_measurable,
    lesions_of,
)
from smalltumor.measures import LesionMeasures

RESPONSE = 0.5
"""Sum of products relative to that of the first scan that is a partial response (RANO)."""

_PROGRESSION_VOLUME, _RESPONSE_VOLUME = 1 + CHANGED_VOLUME, 0.35
"""Volume relative to an earlier one that is a progression and a partial response in RANO 2.0."""

SUPPORTS_PROGRESSION, SUPPORTS_RESPONSE = _PROGRESSION_VOLUME**0.5, _RESPONSE_VOLUME**0.5
"""Relative volume of the target lesions from which, and up to which, it supports what the sum of
products says: half of the change that RANO 2.0 asks of volumes, on a logarithmic scale. Diameters
jump where a lesion beside a cavity falls into pieces, the volume does not."""

RULE = (
    "Complete response: the first scan had a measurable lesion, and no enhancing lesion is left. "
    "Progressive disease: the sum of the products of the target lesions is at least "
    f"{PROGRESSION - 1:.0%} above the smallest earlier sum, and a target lesion is measurable; or "
    "a new lesion is measurable, which the first scan or the one before does not show; or lesions "
    f"that were not measurable in an earlier scan have grown by {CHANGED_VOLUME:.0%} since, and "
    f"one is measurable now. Partial response: the sum is at least {1 - RESPONSE:.0%} below that "
    "of the first scan, and no lesion is new. Else stable disease. Not evaluable, unless it is "
    "progressive disease: a scan does not show the place of a lesion of another one; and if that "
    "is measurable, the sum shows no progression. Not evaluable either: by the sum it is "
    "progressive disease or a partial response, but the volume of the target lesions is below "
    f"{SUPPORTS_PROGRESSION:.0%}, or above {SUPPORTS_RESPONSE:.0%}, of what it was. By RANO 2010 "
    "any new lesion is a progression; here it has to be measurable, as others read RANO 2.0."
)
BASIS = (
    "The rule follows published summaries of RANO and RANO 2.0, and has not been checked against "
    "their texts."
)
UNKNOWN = (
    "Not known here: corticosteroids, the clinical state, a confirming scan after at least four "
    "weeks, radiotherapy in the last twelve weeks, and disease without enhancement."
)


class Category(StrEnum):
    """Category of response."""

    COMPLETE_RESPONSE = "complete response"
    PARTIAL_RESPONSE = "partial response"
    STABLE_DISEASE = "stable disease"
    PROGRESSIVE_DISEASE = "progressive disease"
    NOT_EVALUABLE = "not evaluable"
    """There is no progression, and the first scan has no measurable lesion, or lesions cannot be
    compared, or sum of products and volume contradict each other."""


@dataclass(frozen=True)
class Response:
    """The category, and why.

    Parameters
    ----------
    category : Category
    reasons : tuple of str
        Sentences without a full stop.
    sums_mm2 : tuple of (float or None)
        Sum of the products of the target lesions at each scan; None without target lesions.
    """

    category: Category
    reasons: tuple[str, ...]
    sums_mm2: tuple[float | None, ...]


def assess(measures: ResponseMeasures) -> Response:
    """Assess a scan by RANO, as far as measures decide it; see `RULE`."""
    category = _decide(measures)
    return Response(category, tuple(_reasons(measures, category)), tuple(measures.sums_mm2))


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


def _decide(measures: ResponseMeasures) -> Category:
    """The category by `RULE`."""
    if (
        _is_progression_by_sum(measures)
        or _measurable_new(measures)
        or _became_measurable(measures)
    ):
        return Category.PROGRESSIVE_DISEASE
    first, current = measures.sums_mm2[0], measures.sums_mm2[-1]
    if measures.not_comparable or first is None or current is None:
        return Category.NOT_EVALUABLE
    if not measures.lesions:
        return Category.COMPLETE_RESPONSE
    if measures.is_increase_of_measurable:  # which the volume does not support
        return Category.NOT_EVALUABLE
    if current <= RESPONSE * first and not measures.new:
        shrinkage = measures.volume_since_first
        is_supported = shrinkage is None or shrinkage <= SUPPORTS_RESPONSE
        return Category.PARTIAL_RESPONSE if is_supported else Category.NOT_EVALUABLE
    return Category.STABLE_DISEASE


def _is_progression_by_sum(measures: ResponseMeasures) -> bool:
    is_supported = measures.growth is None or measures.growth >= SUPPORTS_PROGRESSION
    return measures.is_increase_of_measurable and is_supported and measures.targets_are_comparable


def _measurable_new(measures: ResponseMeasures) -> list[LesionMeasures]:
    return [lesion for lesion in lesions_of(measures.new) if is_measurable(lesion)]


def _became_measurable(measures: ResponseMeasures) -> list[LesionMeasures]:
    """The lesions of this scan that are measurable, and were not in an earlier one."""
    grown = lesions_of([x for x in chain.from_iterable(measures.since) if became_measurable(x)])
    return list({lesion.lesion.id: lesion for lesion in grown if is_measurable(lesion)}.values())


def _reasons(measures: ResponseMeasures, category: Category) -> list[str]:
    """Why it is this category, then what else a reader should know."""
    unknown, is_progression = measures.not_comparable, category is Category.PROGRESSIVE_DISEASE
    reasons = _reasons_for(measures, category)
    is_unmeasurable_increase = measures.has_increased and not measures.target_is_measurable
    if is_unmeasurable_increase and not unknown and not is_progression:
        reasons.append("the sum has increased, but no target lesion is measurable")
    reasons.append(_unmeasurable_new_text(measures, is_progression=is_progression))
    reasons += [bright_text(measures.new), still_bright_text(measures.since[-1])]
    if unknown:
        if not is_progression:
            reasons.append(_sum_text(measures))
        reasons.append(not_comparable_text(unknown))
    return list(filter(None, reasons))


def _reasons_for(measures: ResponseMeasures, category: Category) -> list[str]:
    """Why it is this category; none if it is because lesions cannot be compared."""
    match category:
        case Category.PROGRESSIVE_DISEASE:
            return _reasons_for_progression(measures)
        case Category.COMPLETE_RESPONSE:
            return ["no enhancing lesion is left"]
        case Category.PARTIAL_RESPONSE:
            return [_response_text(measures)]
        case Category.STABLE_DISEASE:
            return [_sum_text(measures) + beside_volume_text(measures.growth)]
        case Category.NOT_EVALUABLE:
            return [] if measures.not_comparable else [_not_evaluable_text(measures)]


def _reasons_for_progression(measures: ResponseMeasures) -> list[str]:
    reasons = []
    if _is_progression_by_sum(measures):
        reasons.append(_sum_text(measures))
    if large := _measurable_new(measures):
        reasons.append(
            f"{named_lesions(large)} measurable{measures.meaning_of_new}{beside_text(measures.new)}"
        )
    if grown := _became_measurable(measures):
        reasons.append(became_measurable_text(grown))
    return reasons


def _not_evaluable_text(measures: ResponseMeasures) -> str:
    """Why a scan all of whose lesions can be compared is not evaluable."""
    if None in (measures.sums_mm2[0], measures.sums_mm2[-1]):
        return f"the first scan has no measurable lesion, and {measurable_text(measures.lesions)}"
    if measures.is_increase_of_measurable:
        return _sum_text(measures) + contradicting_volume_text(measures.growth)
    return _response_text(measures) + contradicting_volume_text(measures.volume_since_first)


def _sum_text(measures: ResponseMeasures) -> str:
    """How the sum of products compares with the smallest earlier one; empty without sums."""
    current, earlier = measures.sums_mm2[-1], measures.earlier_sums
    return "" if current is None or not earlier else sum_text(current, min(earlier))


def _response_text(measures: ResponseMeasures) -> str:
    first, current = measures.sums_mm2[0], measures.sums_mm2[-1]
    assert first is not None and current is not None
    return (
        f"the sum of products of the target lesions is {current:.0f} mm², "
        f"{percent(current, first)} of that of the first scan ({first:.0f} mm²)"
    )


def _unmeasurable_new_text(measures: ResponseMeasures, *, is_progression: bool) -> str:
    """That new lesions are not measurable; empty if all are.

    What new means is explained once, with the measurable ones if there are any.
    """
    small = [lesion for lesion in lesions_of(measures.new) if not is_measurable(lesion)]
    meaning = "" if _measurable_new(measures) else measures.meaning_of_new
    return unmeasurable_text(small, meaning, is_progression=is_progression) if small else ""
