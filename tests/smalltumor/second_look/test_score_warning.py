"""Scores are doubted if other weights made the mask than they were fitted with."""

from __future__ import annotations

from dataclasses import replace

from second_look_cases import case_with, output_for
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.second_look import score_warning


def doubt_with(weights: str, digest: str) -> str | None:
    case = case_with()
    run = InferenceRun(1.0, "cpu", "torch", weights, digest=digest)
    mask = Segmentation.from_probabilities(case, output_for(case))
    return score_warning(replace(mask, run=run))


def test_scores_hold_for_the_shipped_weights_and_are_doubted_for_others():
    shipped = load_checkpoint()
    assert doubt_with(shipped.name, shipped.digest) is None
    assert doubt_with("mine", "0").endswith(
        "fitted with the weights starter; they may not hold for mine"
    )
    assert "other weights named starter" in doubt_with(shipped.name, "0")


def test_nothing_is_said_of_a_mask_whose_weights_are_unknown():
    case = case_with()
    mask = Segmentation.from_probabilities(case, output_for(case))
    assert score_warning(replace(mask, run=None)) is None
