"""The network's response to background, where there is no brain.

Around a crop, the whole volume has background. Padding with zeros is not the same: after norms and
ReLU, the features of background are not zero. They are constant, as their input is, so they are one
number per channel.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from smalltumor.models.network import MultiFiberUnit, PreactivatedConv


@torch.no_grad()
def background_response(unit: MultiFiberUnit, background: Tensor) -> Tensor:
    """A unit's output for background.

    Parameters
    ----------
    unit : MultiFiberUnit
        In evaluation mode, with batch norms.
    background : (channel,) tensor
        Its input.

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
    """The input of a unit's grouped convolutions for background; see `background_response`."""
    return _convolved(unit.expand, _convolved(unit.squeeze, background))


def _convolved(conv: PreactivatedConv, background: Tensor) -> Tensor:
    active = functional.relu(conv.norm(background.reshape(1, -1, 1, 1, 1)))
    return constant_response(conv.conv.weight, conv.conv.groups, active.flatten())


def constant_response(weight: Tensor, groups: int, values: Tensor) -> Tensor:
    """A convolution of constant features.

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
