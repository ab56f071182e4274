"""The Dice that a network expects of its own mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smalltumor.data.probabilities.expected_dice import expected_dice
from smalltumor.data.probabilities.network_output import (
    HalfResolutionLogits,
    Probabilities,
    softmax,
)
from smalltumor.labels.regions import REGION_CLASSES, Region

LOGITS = arrays(np.float32, (4, 3, 4, 2), elements=st.floats(-12, 12, width=32))


@given(LOGITS)
def test_it_is_the_formula_over_all_voxels(logits):
    before = logits.copy()
    found = expected_dice(HalfResolutionLogits(logits))
    assert np.array_equal(logits, before)
    values = softmax(before.copy()).reshape(4, -1).astype(np.float64)
    winners = values.argmax(axis=0)
    for region, classes in REGION_CLASSES.items():
        p, mask = values[list(classes)].sum(axis=0), np.isin(winners, classes)
        if not mask.any():
            assert found[region] is None
            continue
        asked = 2 * p[mask].sum() / (p.sum() + mask.sum())
        left_out = 3e-3 * p.size  # voxels of which background is certain
        assert found[region] == pytest.approx(asked, abs=2 * left_out / mask.sum())
        assert 0 < found[region] <= 1


def test_probabilities_at_full_resolution_give_the_same():
    logits = np.random.default_rng(0).normal(0, 2, (4, 3, 4, 2)).astype(np.float32)
    of_logits = expected_dice(HalfResolutionLogits(logits))
    of_values = expected_dice(Probabilities(softmax(logits.copy())))
    assert of_logits == pytest.approx(of_values)


def test_a_certain_mask_expects_one_and_an_uncertain_one_less():
    logits = np.zeros((4, 4, 4, 4), np.float32)
    logits[0] = 20
    logits[3, 1:3, 1:3, 1:3] = 40
    assert expected_dice(HalfResolutionLogits(logits)) == pytest.approx(dict.fromkeys(Region, 1.0))
    logits[3, 1:3, 1:3, 1:3] = 20.5
    assert 0.6 < expected_dice(HalfResolutionLogits(logits))[Region.ET] < 0.8


def test_nothing_is_expected_of_an_empty_mask():
    logits = np.zeros((4, 2, 2, 2), np.float32)
    logits[0] = 1
    assert expected_dice(HalfResolutionLogits(logits)) == dict.fromkeys(Region)
