"""Grouped convolutions that are fast on a GPU, too."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_TENSOR_CORE_CHANNELS = 8
"""Channels that a tensor core multiplies at a time in half precision."""


class GroupedConv3d(nn.Conv3d):
    """A convolution in groups.

    On a GPU, groups of fewer than 8 channels do not fill a tensor core, and cuDNN takes two to six
    times as long for them as for an ordinary convolution of all channels. There their weights are
    put on the diagonal of one, whose other weights are 0.
    """

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not x.is_cuda or weight.shape[1] >= _TENSOR_CORE_CHANNELS:
            return super()._conv_forward(x, weight, bias)  # type: ignore[no-any-return]
        return functional.conv3d(
            x,
            block_diagonal(weight, self.groups),
            bias,
            self.stride,
            self.padding,
            self.dilation,
        )


def block_diagonal(weight: Tensor, groups: int) -> Tensor:
    """Weights of the ordinary convolution that equals one in groups.

    Parameters
    ----------
    weight : (outputs, inputs / groups, i, j, k) tensor
    groups : int

    Returns
    -------
    (outputs, inputs, i, j, k) tensor
        Channels last.
    """
    outputs, inputs, *kernel = weight.shape
    blocks = weight.view(groups, outputs // groups, 1, inputs, *kernel)
    diagonal = torch.eye(groups, dtype=weight.dtype, device=weight.device)
    dense = blocks * diagonal.view(groups, 1, groups, 1, 1, 1, 1)
    dense = dense.reshape(outputs, groups * inputs, *kernel)
    return dense.contiguous(memory_format=torch.channels_last_3d)
