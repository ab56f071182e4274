"""Grouped convolutions."""

from __future__ import annotations

import pytest
import torch
from smalltumor.models.grouped_conv import GroupedConv3d, block_diagonal
from torch.nn import functional


@pytest.mark.parametrize(("inputs", "outputs", "groups"), [(4, 4, 2), (4, 8, 4), (12, 6, 3)])
def test_an_ordinary_convolution_with_block_diagonal_weights_equals_one_in_groups(
    inputs, outputs, groups
):
    conv = GroupedConv3d(inputs, outputs, (3, 3, 1), groups=groups, bias=False).double()
    x = torch.randn(2, inputs, 5, 4, 3, dtype=torch.float64)
    dense = block_diagonal(conv.weight, groups)
    assert dense.shape == (outputs, inputs, 3, 3, 1)
    torch.testing.assert_close(functional.conv3d(x, dense), conv(x))


def test_a_grouped_convolution_has_the_parameters_of_torch_s():
    ours = GroupedConv3d(8, 4, 3, groups=4).state_dict()
    torch_s = torch.nn.Conv3d(8, 4, 3, groups=4).state_dict()
    assert {name: value.shape for name, value in ours.items()} == {
        name: value.shape for name, value in torch_s.items()
    }
