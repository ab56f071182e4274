"""Rounding of convolution weights."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.inference.fused.convs import round_kernels
from torch import Tensor
from torch.nn import functional

UNIT_ROUNDOFF = {torch.bfloat16: 2.0**-8, torch.float16: 2.0**-11}
"""The largest relative error of one rounding."""


@pytest.mark.parametrize("precision", UNIT_ROUNDOFF)
@given(seed=st.integers(0, 10**6), spread=st.floats(0, 3))
def test_sums_of_kernels_are_preserved(precision: torch.dtype, seed: int, spread: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(4, 3, 3, 3, 3, generator=generator)
    weight *= torch.exp(spread * torch.randn(weight.shape, generator=generator))
    weight.clamp_(-6e4, 6e4)  # within the range of float16
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


@pytest.mark.parametrize("precision", UNIT_ROUNDOFF)
def test_features_alike_from_voxel_to_voxel_are_shifted_less_than_by_rounding_to_nearest(
    precision: torch.dtype,
) -> None:
    generator = torch.Generator().manual_seed(0)
    features = 1 + 0.1 * torch.rand(1, 8, 12, 12, 12, generator=generator)
    weight = torch.randn(16, 8, 3, 3, 3, generator=generator)
    expected = functional.conv3d(features, weight)

    def shift(rounded: Tensor) -> float:
        error = functional.conv3d(features, rounded.float()) - expected
        return float(error.mean(dim=(0, 2, 3, 4)).square().mean().sqrt())

    assert shift(round_kernels(weight, precision)) < 0.2 * shift(weight.to(precision))
