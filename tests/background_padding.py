"""The original network, except that its convolutions pad with background."""

from __future__ import annotations

from copy import deepcopy

import torch
from smalltumor.models.network import MultiFiberUnit, PreactivatedConv, SegmentationNetwork
from torch import Tensor, nn
from torch.nn import functional


class BackgroundConv(nn.Module):
    """A pre-activated convolution whose input is padded with background."""

    def __init__(self, source: PreactivatedConv, background: Tensor) -> None:
        super().__init__()
        self.source = source
        self.pad = [width for p in reversed(source.conv.padding) for width in (p, p)]
        self.outside = functional.relu(source.norm(background))
        source.conv.padding = (0, 0, 0)

    def forward(self, x: Tensor, scale: Tensor | float = 1.0) -> Tensor:
        active = functional.relu(self.source.norm(x))
        active = functional.pad(active - self.outside, self.pad) + self.outside
        return scale * self.source.conv(active)

    def of_background(self) -> Tensor:
        """The output for background, one voxel."""
        conv = self.source.conv
        sizes = [d * (k - 1) + 1 for d, k in zip(conv.dilation, conv.kernel_size, strict=True)]
        return conv(self.outside.expand(-1, -1, *sizes))  # type: ignore[no-any-return]


class PaddedWithBackground:
    """Logits at half resolution.

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
                features = _changed(unit, features)
            levels.append(features)
        features = levels.pop()
        for decoder in (network.decoder3, network.decoder2, network.decoder1):
            features = _changed(decoder, torch.cat([levels.pop(), features], dim=1))

    def __call__(self, x: Tensor) -> Tensor:
        return self.network.head(dict(self.network.steps(x))["decoder 1"])  # type: ignore[no-any-return]


def _changed(unit: MultiFiberUnit, background: Tensor) -> Tensor:
    """Change a unit's convolutions, and return its output for background."""

    def change(conv: nn.Module, background: Tensor) -> tuple[BackgroundConv, Tensor]:
        assert isinstance(conv, PreactivatedConv)
        changed = BackgroundConv(conv, background)
        return changed, changed.of_background()

    shortcut = background
    if isinstance(unit.shortcut, PreactivatedConv):
        unit.shortcut, shortcut = change(unit.shortcut, background)
    unit.squeeze, inner = change(unit.squeeze, background)  # type: ignore[assignment]
    unit.expand, inner = change(unit.expand, inner)  # type: ignore[assignment]
    mixed = torch.zeros(())
    scales = [1.0] if unit.scales is None else list(unit.scales)
    for number, scale in enumerate(scales):
        unit.branches[number], made = change(unit.branches[number], inner)
        mixed = mixed + scale * made
    unit.merge, merged = change(unit.merge, mixed)  # type: ignore[assignment]
    return merged + shortcut
