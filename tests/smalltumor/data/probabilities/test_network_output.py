"""Logits at half resolution give the classes and probabilities of doubled ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from smalltumor.data.probabilities.network_output import (
    HalfResolutionLogits,
    Probabilities,
    most_probable_classes,
)
from smalltumor.geometry.array_order import reverse_axes
from torch.nn import functional

LOGITS = npst.arrays(
    np.float32,
    st.tuples(st.just(4), *[st.integers(1, 20)] * 3),
    elements=st.integers(-8, 8).map(lambda n: n / 4),
    fill=st.just(0.0),
)


def probabilities_by_torch(logits: np.ndarray) -> np.ndarray:
    """The network's own last steps."""
    doubled = functional.interpolate(
        torch.from_numpy(logits)[None], scale_factor=2, mode="trilinear"
    )
    return torch.softmax(doubled, dim=1)[0].numpy()


@given(LOGITS)
def test_probabilities_are_those_of_doubled_logits(logits):
    output = HalfResolutionLogits(logits)
    expected = probabilities_by_torch(logits)
    assert output.shape == expected.shape[1:]
    np.testing.assert_allclose(output.probabilities(), expected, atol=1e-6)
    voxels = np.argwhere(np.ones(output.shape))
    np.testing.assert_allclose(output.at(voxels).reshape(expected.shape), expected, atol=1e-6)


@given(LOGITS, st.integers(0, 16))
def test_no_voxel_of_a_tumour_is_missed_however_much_is_background(logits, ahead):
    logits[0] += ahead / 8
    output = HalfResolutionLogits(logits)
    everywhere = most_probable_classes(output._double(whole(output)))
    np.testing.assert_array_equal(output.classes(), everywhere)
    in_file_order = reverse_axes(np.ascontiguousarray(reverse_axes(logits)))
    np.testing.assert_array_equal(HalfResolutionLogits(in_file_order).classes(), everywhere)


def test_a_box_and_a_cut_are_parts_of_the_whole():
    output = HalfResolutionLogits(
        np.random.default_rng(0).standard_normal((4, 9, 10, 8), dtype=np.float32)
    )
    box = (slice(3, 10), slice(0, 5), slice(9, 16))
    part = output.probabilities()[(slice(None), *box)]
    np.testing.assert_array_equal(output.probabilities(box), part)
    cut = output.crop((17, 3, 16))
    np.testing.assert_array_equal(cut.classes(), output.classes()[:17, :3])
    np.testing.assert_array_equal(cut.probabilities(), output.probabilities()[:, :17, :3])


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_no_number_is_seen(number):
    values = np.zeros((4, 3, 3, 3), np.float32)
    assert HalfResolutionLogits(values).are_finite()
    assert Probabilities(values).are_finite()
    values[:, 1, 2, 0] = number
    assert not HalfResolutionLogits(values).are_finite()
    assert not Probabilities(values).are_finite()


def whole(output: HalfResolutionLogits) -> tuple[slice, slice, slice]:
    """All voxels of a crop."""
    i, j, k = output.shape
    return slice(0, i), slice(0, j), slice(0, k)
