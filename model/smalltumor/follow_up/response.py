"""RANO's category of enhancing disease, as far as measures alone decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain

from smalltumor.follow_up.findings import (
    Findings,
    became_measurable,
    is_measurable,
    lesions_of,
)
from smalltumor.follow_up.reasons import (
    beside_text,
    beside_volume_text,
    bright_text,
    measurable_text,
    named_lesions,
    not_comparable_text,
    percent,
    still_bright_text,
    sum_text,
    unmeasurable_text,
    volume_text,
)

RESPONSE = 0.5
"""Sum of products relative to that of the first scan that is a partial response (RANO)."""

_PROGRESSION_VOLUME, _RESPONSE_VOLUME = 1.4, 0.35
"""Volume relative to an earlier one that is a progression and a partial response in RANO 2.0."""

SUPPORTS_PROGRESSION, SUPPORTS_RESPONSE = _PROGRESSION_VOLUME**0.5, _RESPONSE_VOLUME**0.5
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
    "evaluable, unless it is progressive disease: a scan does not show the place of a lesion of "
    "another one; and if that is measurable, the sum shows no progression. Not evaluable either: "
    "by the sum it is progressive disease or a partial response, but the volume of the target "
    f"lesions is below {SUPPORTS_PROGRESSION:.0%}, or above {SUPPORTS_RESPONSE:.0%}, of what it "
    "was. By RANO 2010 any new lesion is a progression; here it has to be measurable, as others "
    "read RANO 2.0."
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
    if small := [each for each in lesions_of(new) if not is_measurable(each)]:
        is_said = any(map(is_measurable, lesions_of(new)))
        reasons.append(
            unmeasurable_text(
                small,
                "" if is_said else found.meaning_of_new,
                is_progression=category is Category.PROGRESSIVE_DISEASE,
            )
        )
    if bright := bright_text(new):
        reasons.append(bright)
    if still_bright := still_bright_text(found.since[-1]):
        reasons.append(still_bright)
    if unknown:
        current = found.sums_mm2[-1]
        if category is None and current is not None and found.earlier_sums:
            reasons.append(sum_text(current, min(found.earlier_sums)))
        reasons.append(not_comparable_text(unknown))
    return Response(category, tuple(reasons), tuple(found.sums_mm2))


def _without_progression(found: Findings) -> tuple[Category | None, list[str]]:
    """The category of a scan all of whose lesions can be compared, and why."""
    first, current = found.sums_mm2[0], found.sums_mm2[-1]
    if first is None or current is None:
        text = measurable_text(found.lesions)
        return None, [f"the first scan has no measurable lesion, and {text}"]
    if not found.lesions:
        return Category.COMPLETE_RESPONSE, ["no enhancing lesion is left"]
    if found.has_increased and found.target_is_measurable:
        return None, [sum_text(current, min(found.earlier_sums)) + volume_text(found.growth)]
    if current <= RESPONSE * first and not found.new:
        text = (
            f"the sum of products is {current:.0f} mm², {percent(current, first)} of that of the "
            f"first scan ({first:.0f} mm²)"
        )
        shrinkage = found.volume_since_first
        if shrinkage is not None and shrinkage > SUPPORTS_RESPONSE:
            return None, [text + volume_text(shrinkage)]
        return Category.PARTIAL_RESPONSE, [text]
    text = sum_text(current, min(found.earlier_sums))
    return Category.STABLE_DISEASE, [text + beside_volume_text(found.growth)]


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
    if current is not None and increased and supported and found.targets_are_comparable:
        reasons.append(sum_text(current, min(found.earlier_sums)))
    if large := [each for each in lesions_of(found.new) if is_measurable(each)]:
        reasons.append(
            f"{named_lesions(large)} measurable{found.meaning_of_new}{beside_text(found.new)}"
        )
    if any(map(became_measurable, chain.from_iterable(found.since))):
        reasons.append("a lesion that was not measurable has grown and is measurable now")
    return reasons
