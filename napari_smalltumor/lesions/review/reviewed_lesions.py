"""Lesions with what was decided on them, as a table that is saved or copied lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion
from smalltumor.second_look import load_parameters, with_scores

from napari_smalltumor.lesions.decisions.verdicts import Decision, Verdict, decision_on

if TYPE_CHECKING:
    from napari_smalltumor.lesions.review.review import LesionReview


def reviewed(review: LesionReview, lesions: Sequence[Lesion]) -> list[Lesion]:
    """The lesions with their scores, and whether, by whom and when they were accepted."""
    if review.region is Region.ET and review.from_network:
        found = [x for x in lesions if not review.is_candidate(x)]
        others = [x for x in lesions if review.is_candidate(x)]
        lesions = [*with_scores(found, load_parameters()), *others]
    return [_reviewed(review, lesion) for lesion in lesions]


def _reviewed(review: LesionReview, lesion: Lesion) -> Lesion:
    decision = _decision_on(review, lesion)
    if review.is_candidate(lesion):
        is_rejected = decision is not None and decision.verdict is Verdict.REJECTED
        accepted = False if is_rejected else None
        decision = decision if is_rejected else None  # an addition that was taken back
    else:
        accepted = review.is_accepted(lesion)
    who, when = (None, None) if decision is None else (decision.who, decision.when)
    return replace(lesion, accepted=accepted, decided_by=who, decided_at=when)


def _decision_on(review: LesionReview, lesion: Lesion) -> Decision | None:
    """The last decision on a lesion or candidate of enhancing tumour."""
    if review.source is None or review.region is not Region.ET:
        return None
    return decision_on(review.source.layers[Region.ET], lesion)
