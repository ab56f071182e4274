"""The network's response to background, the voxels outside the brain.

The voxels around a crop of the brain are background. Their features are not zero after norms and
ReLU, so padding a crop with zeros is not equivalent. The features are constant, because their input
is: one number per channel.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from smalltumor.models.units import MultiFiberUnit, PreactivatedConv


@torch.no_grad()
def background_response(unit: MultiFiberUnit, background: Tensor) -> Tensor:
    """A unit's output for background.

    Parameters
    ----------
    unit : MultiFiberUnit
        In evaluation mode, with batch norms.
    background : (channel,) tensor
        Features of background at the input of the unit.

    Returns
    -------
    (channel,) tensor
        Features of background at the output of the unit.
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
    """Features (channel,) of background between a unit's expansion and its grouped convolutions."""
    return _convolved(unit.expand, _convolved(unit.squeeze, background))


def _convolved(conv: PreactivatedConv, background: Tensor) -> Tensor:
    active = functional.relu(conv.norm(background.reshape(1, -1, 1, 1, 1)))
    return constant_response(conv.conv.weight, conv.conv.groups, active.flatten())


def constant_response(weight: Tensor, groups: int, values: Tensor) -> Tensor:
    """Output of a convolution of constant features.

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
