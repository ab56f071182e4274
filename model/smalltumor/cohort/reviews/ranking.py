"""Which cases of a cohort deserve a look first, for the report and for the worklist."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from smalltumor.cohort.results.results import CaseResult, ListedLesion
from smalltumor.data.made_by import SEEN_IN_TRAINING
from smalltumor.text import pluralize

LOOK_SCORE = 0.25
"""A case deserves a look if the scores of its candidates add up to this."""

DOUBTFUL_SCORE = 0.5
"""A small lesion with a lower score is doubtful, and so is one that has none."""

CRITERION = (
    "A case deserves a look if it has a warning about its images or its mask, if the scores of its "
    f"candidates add up to {LOOK_SCORE:g} or more, or if a small lesion has a score below "
    f"{DOUBTFUL_SCORE:g} or none; the other cases may have missed lesions too"
)
"""What `deserves_look` asks, in words."""

ORDER = (
    "cases that deserve a look first; of them and of the others, those with more warnings, then "
    "those whose candidates have a higher sum of scores, with more small lesions that are "
    "doubtful by their score, and with a lower probability of their least certain lesion"
)
"""The order of `ranked`, in words."""


class Order(StrEnum):
    """What a list of cases is ordered by."""

    LOOK = "deserves a look"
    CERTAINTY = "least certain"


def ranked(results: Iterable[CaseResult], order: Order = Order.LOOK) -> list[CaseResult]:
    """The cases in an order; failed ones are last.

    Parameters
    ----------
    results : iterable of CaseResult
    order : Order
        `LOOK` is `ORDER`. `CERTAINTY` has the cases first of whose masks the network expects the
        lowest Dice, after those in which it found nothing; cases of which it is not known follow.
    """
    return sorted(results, key=_key if order is Order.LOOK else _by_certainty)


def deserves_look(result: CaseResult) -> bool:
    """Whether a case with a mask meets `CRITERION`."""
    if result.failed:
        return False
    return (
        bool(_mask_warnings(result) or _doubtful_lesions(result))
        or _sum_of_scores(result) >= LOOK_SCORE
    )


def reasons_of(result: CaseResult, specks: int = 0) -> list[str]:
    """What speaks for a look, without the words of its warnings; empty if nothing is known.

    Parameters
    ----------
    result : CaseResult
    specks : int
        How many of the small lesions the Lesions dock lists apart, as specks.
    """
    warnings, candidates = len(_mask_warnings(result)), result.count("candidate")
    small, doubtful = result.count("small lesion"), _doubtful_lesions(result)
    texts = [pluralize(warnings, "warning")] if warnings else []
    if candidates:
        sums = "scores add up to" if candidates > 1 else "score"
        scores = f"{sums} {_sum_of_scores(result):.2f}"
        texts.append(f"{pluralize(candidates, 'candidate')} ({scores})")
    if small:
        parts = [pluralize(specks, "speck")] if specks else []
        parts += [f"{doubtful} doubtful"] if doubtful else []
        among = f" ({', '.join(parts)})" if parts else ""
        texts.append(f"{pluralize(small, 'small lesion')}{among}")
    if result.lowest_probability is not None:
        texts.append(f"lowest probability {result.lowest_probability:.2f}")
    if result.expected_dice is not None:
        texts.append(f"expected Dice {result.expected_dice:.2f}")
    return texts


def _key(result: CaseResult) -> tuple[bool, bool, int, float, int, float, str]:
    lowest = 1.0 if result.lowest_probability is None else result.lowest_probability
    return (
        *(result.failed, not deserves_look(result), -len(_mask_warnings(result))),
        *(-_sum_of_scores(result), -_doubtful_lesions(result), lowest, result.name),
    )


def _by_certainty(result: CaseResult) -> tuple[bool, bool, float, str]:
    dice = result.expected_dice
    unknown = dice is None and result.row.wt_ml != 0
    return result.failed, unknown, dice or 0.0, result.name


def _mask_warnings(result: CaseResult) -> list[str]:
    """Its warnings; that the network has seen the patient is no reason to look at this mask."""
    return [warning for warning in result.warnings if warning != SEEN_IN_TRAINING]


def _sum_of_scores(result: CaseResult) -> float:
    """Of the candidates; one without a score alone makes its case deserve a look."""
    scores = (lesion.score for lesion in result.listed if lesion.kind == "candidate")
    return sum(LOOK_SCORE if score is None else score for score in scores)


def _doubtful_lesions(result: CaseResult) -> int:
    return sum(map(_is_doubtful, result.listed))


def _is_doubtful(lesion: ListedLesion) -> bool:
    score = 0.0 if lesion.score is None else lesion.score
    return lesion.kind == "small lesion" and score < DOUBTFUL_SCORE
