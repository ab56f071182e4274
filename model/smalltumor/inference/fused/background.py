"""What the network makes of a volume where there is no brain.

A crop ends where the network, on the whole volume, goes on to see background, and padding with
zeros is not the same: behind norms and ReLU the features of background are numbers of their own.
They are the same everywhere, as the input is, so each takes one number a channel.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from smalltumor.models.network import MultiFiberUnit, PreactivatedConv


@torch.no_grad()
def background_response(unit: MultiFiberUnit, background: Tensor) -> Tensor:
    """What a unit makes of background.

    Parameters
    ----------
    unit : MultiFiberUnit
        In evaluation mode, with batch norms.
    background : (channel,) tensor
        What it reads.

    Returns
    -------
    (channel,) tensor
    """
    inner = expanded_background(unit, background)
    scales = [1.0] if unit.scales is None else list(unit.scales)
    mixed = torch.zeros(())
    for scale, branch in zip(scales, unit.branches, strict=True):
        assert isinstance(branch, PreactivatedConv)
        mixed = mixed + scale * _convolved(branch, inner)
    shortcut = background
    if isinstance(unit.shortcut, PreactivatedConv):
        shortcut = _convolved(unit.shortcut, background)
    return _convolved(unit.merge, mixed) + shortcut


@torch.no_grad()
def expanded_background(unit: MultiFiberUnit, background: Tensor) -> Tensor:
    """What a unit's grouped convolutions read of background; as `background_response`."""
    return _convolved(unit.expand, _convolved(unit.squeeze, background))


def _convolved(conv: PreactivatedConv, background: Tensor) -> Tensor:
    active = functional.relu(conv.norm(background.reshape(1, -1, 1, 1, 1)))
    return constant_response(conv.conv.weight, conv.conv.groups, active.flatten())


def constant_response(weight: Tensor, groups: int, values: Tensor) -> Tensor:
    """A convolution of features that are the same everywhere.

    Parameters
    ----------
    weight : (outputs, inputs per group, i, j, k) tensor
    groups : int
    values : (inputs,) tensor

    Returns
    -------
    (outputs,) tensor
    """
    summed = weight.sum(dim=(2, 3, 4)).reshape(groups, -1, weight.shape[1])
    return torch.einsum("goi,gi->go", summed, values.reshape(groups, -1)).flatten()
