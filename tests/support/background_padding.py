"""Reference network whose convolutions pad with background instead of zeros."""

from __future__ import annotations

from copy import deepcopy

import torch
from smalltumor.models.network import SegmentationNetwork
from smalltumor.models.units import MultiFiberUnit, PreactivatedConv
from torch import Tensor, nn
from torch.nn import functional


class BackgroundConv(nn.Module):
    """A pre-activated convolution whose input is padded with background."""

    def __init__(self, source: PreactivatedConv, background: Tensor) -> None:
        super().__init__()
        self.source = source
        self.pad = [width for p in reversed(source.conv.padding) for width in (p, p)]
        self.background = functional.relu(source.norm(background))
        source.conv.padding = (0, 0, 0)

    def forward(self, x: Tensor, scale: Tensor | float = 1.0) -> Tensor:
        active = functional.relu(self.source.norm(x))
        active = functional.pad(active - self.background, self.pad) + self.background
        return scale * self.source.conv(active)

    def background_response(self) -> Tensor:
        """The output for background, as a single voxel."""
        conv = self.source.conv
        sizes = [d * (k - 1) + 1 for d, k in zip(conv.dilation, conv.kernel_size, strict=True)]
        return conv(self.background.expand(-1, -1, *sizes))  # type: ignore[no-any-return]


class BackgroundPaddedNetwork:
    """Computes logits at half resolution by an unfused network padded with background.

    Parameters
    ----------
    network : SegmentationNetwork
        In evaluation mode; not changed.
    """

    def __init__(self, network: SegmentationNetwork) -> None:
        self.network = network = deepcopy(network)
        features = torch.zeros(1, network.config.width, 1, 1, 1)
        levels = [features]
        for encoder in (network.encoder1, network.encoder2, network.encoder3):
            for unit in encoder:
                features = _pad_with_background(unit, features)
            levels.append(features)
        features = levels.pop()
        for decoder in (network.decoder3, network.decoder2, network.decoder1):
            features = _pad_with_background(decoder, torch.cat([levels.pop(), features], dim=1))

    def __call__(self, x: Tensor) -> Tensor:
        return self.network.head(dict(self.network.steps(x))["decoder 1"])  # type: ignore[no-any-return]


def _pad_with_background(unit: MultiFiberUnit, background: Tensor) -> Tensor:
    """Replace a unit's convolutions by padded ones; return its output for background."""

    def replace(conv: nn.Module, background: Tensor) -> tuple[BackgroundConv, Tensor]:
        assert isinstance(conv, PreactivatedConv)
        padded = BackgroundConv(conv, background)
        return padded, padded.background_response()

    shortcut = background
    if isinstance(unit.shortcut, PreactivatedConv):
        unit.shortcut, shortcut = replace(unit.shortcut, background)
    unit.squeeze, inner = replace(unit.squeeze, background)  # type: ignore[assignment]
    unit.expand, inner = replace(unit.expand, inner)  # type: ignore[assignment]
    mixed = torch.zeros(())
    scales = [1.0] if unit.scales is None else list(unit.scales)
    for number, scale in enumerate(scales):
        unit.branches[number], response = replace(unit.branches[number], inner)
        mixed = mixed + scale * response
    unit.merge, merged = replace(unit.merge, mixed)  # type: ignore[assignment]
    return merged + shortcut
