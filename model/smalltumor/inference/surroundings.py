"""What the network makes of a volume where there is no brain.

A crop ends where convolutions would go on to see background, and padding with zeros is not the
same: behind norms and ReLU the features of background are numbers of their own. They are the same
everywhere, as the input is, so that they can be put around a crop without computing them.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from smalltumor.network import MultiFiberUnit, PreactivatedConv, SegmentationNetwork


@torch.no_grad()
def backgrounds(network: SegmentationNetwork) -> list[Tensor]:
    """Features of encoder 1 and of encoder 2, far from the brain and from the volume's border.

    Parameters
    ----------
    network : SegmentationNetwork
        In evaluation mode, with batch norms.

    Returns
    -------
    list of (channel,) tensor
    """
    features = network.stem.weight.new_zeros(1, network.config.width, 1, 1, 1)
    constants = []
    for encoder in (network.encoder1, network.encoder2):
        for unit in encoder:
            assert isinstance(unit, MultiFiberUnit)
            features = _unit(unit, features)
        constants.append(features.flatten())
    return constants


@torch.no_grad()
def relative_to_background(network: SegmentationNetwork) -> SegmentationNetwork:
    """A copy whose encoders 1 and 2 give the difference to `backgrounds`, and where all that reads
    them adds it again: the same logits, but padding these features with zeros means background.

    Parameters
    ----------
    network : SegmentationNetwork
        In evaluation mode, with batch norms.
    """
    constants = backgrounds(network)
    network = deepcopy(network)
    readers = (network.encoder2[0], network.decoder2), (network.encoder3[0], network.decoder3)
    encoders = network.encoder1, network.encoder2
    for encoder, units, constant in zip(encoders, readers, constants, strict=True):
        encoder[-1].merge.conv.bias = nn.Parameter(-constant)  # type: ignore[union-attr]
        for unit in units:
            for conv in (unit.squeeze, unit.shortcut):
                mean = conv.norm.running_mean  # type: ignore[union-attr]
                mean[: len(constant)] -= constant  # type: ignore[index,operator]
    return network


def _unit(unit: MultiFiberUnit, features: Tensor) -> Tensor:
    shortcut = features
    if isinstance(unit.shortcut, PreactivatedConv):
        shortcut = _convolved(unit.shortcut, features)
    features = _convolved(unit.expand, _convolved(unit.squeeze, features))
    scales = [1.0] if unit.scales is None else unit.scales
    mixed = [
        scale * _convolved(branch, features)  # type: ignore[arg-type]
        for scale, branch in zip(scales, unit.branches, strict=True)
    ]
    return _convolved(unit.merge, torch.stack(mixed).sum(dim=0)) + shortcut


def _convolved(conv: PreactivatedConv, features: Tensor) -> Tensor:
    """Of features that are the same everywhere: every voxel of the kernel sees them."""
    active = functional.relu(conv.norm(features))
    weight = conv.conv.weight.sum(dim=(2, 3, 4), keepdim=True)
    return functional.conv3d(active, weight, groups=conv.conv.groups)
