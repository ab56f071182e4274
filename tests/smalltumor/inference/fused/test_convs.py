"""Rounding of convolution weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.data.case import read_case
from smalltumor.data.preprocessing import prepare
from smalltumor.inference.fused.convs import FixedConv, round_kernels
from smalltumor.inference.fused.network import FusedNetwork
from smalltumor.models.checkpoint import load_checkpoint
from torch import Tensor

UNIT_ROUNDOFF = {torch.bfloat16: 2.0**-8, torch.float16: 2.0**-11}
"""The largest relative error of one rounding."""


@pytest.mark.parametrize("precision", UNIT_ROUNDOFF)
@given(seed=st.integers(0, 10**6), spread=st.floats(0, 3))
def test_sums_of_kernels_are_preserved(precision: torch.dtype, seed: int, spread: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(4, 3, 3, 3, 3, generator=generator)
    # Within the range of float16.
    weight *= torch.exp(spread * torch.randn(weight.shape, generator=generator))
    rounded = round_kernels(weight, precision).float()
    unit, sizes = UNIT_ROUNDOFF[precision], weight.abs().flatten(2)
    error = (rounded - weight).double().flatten(2)
    smallest, largest = sizes.min(-1).values, sizes.max(-1).values
    assert (error.sum(-1).abs() <= unit * (smallest + 2 * unit * largest) + 1e-7).all()
    assert (error.abs() <= 2 * unit * largest[..., None] + 1e-7).all()


def test_zeros_between_merged_groups_stay_zero() -> None:
    weight = torch.randn(4, 4, 3, 3, 3)
    weight[:2, 2:] = weight[2:, :2] = 0
    rounded = round_kernels(weight, torch.bfloat16)
    assert torch.equal(rounded == 0, weight == 0)


def test_float32_is_copied_unchanged() -> None:
    weight = torch.randn(4, 3, 3, 3, 3)
    same = round_kernels(weight, torch.float32)
    assert torch.equal(same, weight)
    assert same.data_ptr() != weight.data_ptr()


def test_logits_are_shifted_less_than_by_rounding_each_weight_to_nearest(
    sample_folder: Path,
) -> None:
    checkpoint = load_checkpoint()
    array = prepare(read_case(sample_folder), checkpoint.preprocessing).array
    x = torch.from_numpy(array[None, :, 48:112, 48:112, 48:112])
    plain = FusedNetwork(checkpoint.network)
    rounded = FusedNetwork(checkpoint.network, torch.bfloat16).float()  # nothing else is rounded
    with torch.inference_mode():
        expected = plain(x)
        for module in plain.modules():
            if isinstance(module, FixedConv):
                module.weight = module.weight.bfloat16().float()
        assert _shift(rounded(x), expected) < 0.65 * _shift(plain(x), expected)


def _shift(logits: Tensor, expected: Tensor) -> float:
    """Root mean square over classes of the mean difference."""
    return float((logits - expected).mean(dim=(0, 2, 3, 4)).square().mean().sqrt())
