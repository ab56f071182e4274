"""Doubling the resolution of features."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.models.upsampling import upsample_by_matrices, upsample_trilinear

LENGTHS = st.tuples(*(st.integers(1, 6) for _ in range(3)))


@given(LENGTHS, st.integers(1, 2), st.integers(1, 9))
def test_products_with_matrices_equal_trilinear_interpolation(lengths, crops, channels):
    x = torch.randn(crops, channels, *lengths, dtype=torch.float64, requires_grad=True)
    by_matrices, interpolated = upsample_by_matrices(x), upsample_trilinear(x)
    torch.testing.assert_close(by_matrices, interpolated)
    upstream = torch.randn_like(interpolated)
    gradients = (torch.autograd.grad(y, x, upstream)[0] for y in (by_matrices, interpolated))
    torch.testing.assert_close(*gradients)


def test_products_with_matrices_keep_the_channels_last():
    x = torch.randn(2, 3, 4, 5, 6).to(memory_format=torch.channels_last_3d)
    assert upsample_by_matrices(x).is_contiguous(memory_format=torch.channels_last_3d)
