"""Lesions with what was decided on them, as a table that is saved or copied lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion
from smalltumor.second_look import load_parameters, with_scores

from napari_smalltumor.lesions.decisions.signature import Signature
from napari_smalltumor.lesions.decisions.verdicts import Verdict, decision_on

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
    accepted: bool | None
    if review.is_candidate(lesion):
        signature = _rejection_of(review, lesion)
        accepted = None if signature is None else False
    else:
        source = review.source
        signature = None if source is None else source.acceptance_of(review.region, lesion)
        accepted = signature is not None
    who, when = (None, None) if signature is None else signature
    return replace(lesion, accepted=accepted, decided_by=who, decided_at=when)


def _rejection_of(review: LesionReview, candidate: Lesion) -> Signature | None:
    """Who rejected a candidate of enhancing tumour, and when; None if nobody did."""
    if review.source is None or review.region is not Region.ET:
        return None
    decision = decision_on(review.source.layers[Region.ET], candidate)
    if decision is None or decision.verdict is not Verdict.REJECTED:
        return None
    return decision.signature
