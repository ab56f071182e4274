"""Enhancing tumour of the maps that the mask has too."""

from __future__ import annotations

import numpy as np
import pytest
from smalltumor.data.probabilities.network_output import (
    HalfResolutionLogits,
    Probabilities,
    softmax,
)
from smalltumor.labels.regions import TissueClass
from smalltumor.second_look.et_of_mask import et_of_mask

SHAPE = (12, 12, 12)


def output_with(*logits_of_et: tuple[tuple[slice | int, ...], float]) -> HalfResolutionLogits:
    logits = np.full((4, *SHAPE), -6, np.float32)
    logits[TissueClass.BACKGROUND] = 4
    for place, logit in logits_of_et:
        logits[(TissueClass.ET, *place)] = logit
    return HalfResolutionLogits(logits)


def of_mask(output):
    return et_of_mask(softmax(output.logits.copy()), output)


@pytest.mark.parametrize(("logit", "kept"), [(4.5, False), (14.0, False), (60.0, True)])
def test_a_voxel_is_kept_if_the_mask_has_any_of_it(logit, kept):
    output = output_with(((5, 5, 5), logit))
    assert (output.classes() == TissueClass.ET).any() == kept
    assert of_mask(output).any() == kept


def test_a_lost_part_goes_and_a_large_one_beside_it_stays_whole():
    ball = (slice(1, 5), slice(1, 5), slice(1, 5))
    output = output_with((ball, 6.0), ((8, 8, slice(7, 10)), 4.5))
    expected = np.zeros(SHAPE, bool)
    expected[ball] = True
    np.testing.assert_array_equal(of_mask(output), expected)


def test_a_part_at_the_end_of_an_odd_crop_is_looked_at_where_the_crop_is():
    logits = output_with(((11, 11, 11), 60.0)).logits
    output = HalfResolutionLogits(logits, (23, 23, 23))
    assert of_mask(output)[11, 11, 11] == (output.classes() == TissueClass.ET).any()


def test_an_output_at_full_resolution_is_its_own_mask():
    half = output_with(((5, 5, 5), 60.0))
    full = Probabilities(half.probabilities())
    np.testing.assert_array_equal(et_of_mask(softmax(half.logits.copy()), full), of_mask(half))


def test_nothing_is_no_part():
    assert not of_mask(output_with()).any()
