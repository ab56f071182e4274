"""RANO 2.0 category of enhancing disease, as far as measures alone decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from smalltumor.follow_up.matching import Change, LesionChange
from smalltumor.measures import LesionMeasures

PROGRESSION, RESPONSE = 1.25, 0.5
"""Sum of products relative to the smallest earlier one, and to the first, that are a progression
and a partial response (Wen et al. 2023, doi 10.1200/JCO.23.01059)."""

RULE = (
    "Complete response: no enhancing lesion is left. Progressive disease: the sum of the products "
    "of the target lesions is at least 25 % above the smallest earlier sum, or a new lesion is "
    "measurable, or a lesion that was not has grown and is measurable now. Partial response: the "
    "sum is at least 50 % below that of the first scan, without a new lesion. Else stable disease."
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
        None if the first scan has no measurable lesion and nothing is measurable now.
    reasons : tuple of str
        Sentences without a full stop.
    sums_mm2 : tuple of (float or None)
        Sum of the products of the target lesions at each scan; None without target lesions.
    """

    category: Category | None
    reasons: tuple[str, ...]
    sums_mm2: tuple[float | None, ...]


def assess(
    sums_mm2: Sequence[float | None],
    changes: Sequence[LesionChange],
    lesions_now: Sequence[LesionMeasures],
) -> Response:
    """Assess the last scan.

    Parameters
    ----------
    sums_mm2 : sequence of (float or None)
        As of `Response`, from the first scan to the last.
    changes : sequence of LesionChange
        From the scan before to the last.
    lesions_now : sequence of LesionMeasures
        Of the last scan.
    """
    first, earlier, now = sums_mm2[0], [x for x in sums_mm2[:-1] if x is not None], sums_mm2[-1]
    new = [change for change in changes if change.change is Change.NEW]
    reasons = _progression(earlier, now, changes)
    category: Category | None = None
    if reasons:
        category = Category.PROGRESSIVE_DISEASE
    elif first is None or now is None:
        reasons = ["the first scan has no measurable lesion, and nothing is measurable now"]
    elif not lesions_now:
        category, reasons = Category.COMPLETE_RESPONSE, ["no enhancing lesion is left"]
    elif now <= RESPONSE * first and not new:
        category = Category.PARTIAL_RESPONSE
        reasons = [f"the sum of products is {_percent(now, first)} of the first scan"]
    else:
        category = Category.STABLE_DISEASE
        reasons = [
            f"the sum of products is {_percent(now, min(earlier))} of the smallest earlier one"
        ]
    unmeasurable = [change for change in new if not _is_measurable(change)]
    if unmeasurable:
        lesions = (
            "a new lesion is" if len(unmeasurable) == 1 else f"{len(unmeasurable)} new lesions are"
        )
        reasons.append(
            f"{lesions} not measurable: by itself no progression, but no response either"
        )
    return Response(category, tuple(reasons), tuple(sums_mm2))


def _progression(
    earlier: Sequence[float], now: float | None, changes: Sequence[LesionChange]
) -> list[str]:
    reasons = []
    if earlier and now is not None and now >= PROGRESSION * min(earlier) and now > 0:
        reasons.append(
            f"the sum of products is {_percent(now, min(earlier))} of the smallest earlier one"
        )
    measurable = [change for change in changes if _is_measurable(change)]
    new = sum(change.change is Change.NEW for change in measurable)
    if new:
        reasons.append(
            "a new lesion is measurable" if new == 1 else f"{new} new lesions are measurable"
        )
    became = [
        change
        for change in measurable
        if change.change is Change.GROWN and not any(map(_measurable, change.then))
    ]
    if became:
        reasons.append("a lesion that was not measurable has grown and is measurable now")
    return reasons


def _is_measurable(change: LesionChange) -> bool:
    return any(map(_measurable, change.now))


def _measurable(each: LesionMeasures) -> bool:
    return each.lesion.axial is not None and each.lesion.axial.measurable


def _percent(value: float, reference: float) -> str:
    """A sum as a percentage of another one, which may be 0."""
    return f"{value / reference:.0%}" if reference else "above 0, and not a percentage,"
