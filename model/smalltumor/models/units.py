"""Units of the DMFNet backbone (Chen et al. 2019), (batch, channel, i, j, k).

Every convolution is pre-activated: norm, ReLU, convolution without bias.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from smalltumor.models.config import Norm
from smalltumor.models.grouped_conv import GroupedConv3d

DILATIONS = (1, 2, 3)
"""Of the parallel convolutions of a dilated multi-fiber unit."""


def _norm(kind: Norm, channels: int) -> nn.Module:
    if kind == "instance":
        return nn.InstanceNorm3d(channels, affine=True)
    return nn.BatchNorm3d(channels)


class PreactivatedConv(nn.Module):
    """Norm, ReLU, and a convolution without bias; at stride 1 the shape stays the same."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int, int],
        norm: Norm,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()

        def pad(size: int) -> int:
            return (size - 1) // 2 * dilation

        self.norm = _norm(norm, inputs)
        self.conv = (GroupedConv3d if groups > 1 else nn.Conv3d)(
            inputs,
            outputs,
            kernel,
            stride=stride,
            padding=(pad(kernel[0]), pad(kernel[1]), pad(kernel[2])),
            dilation=dilation,
            groups=groups,
            bias=False,
        )

    def forward(self, x: Tensor, scale: Tensor | None = None) -> Tensor:
        active = functional.relu(self.norm(x), inplace=True)
        if scale is None:
            return self.conv(active)  # type: ignore[no-any-return]
        # Scaling the weights gives the same result as scaling the features, which are many more.
        weight = self.conv.weight * scale
        return self.conv._conv_forward(active, weight, None)  # type: ignore[no-any-return]


class MultiFiberUnit(nn.Module):
    """A residual unit: a multiplexer of 1x1x1 convolutions, then grouped convolutions.

    Parameters
    ----------
    inputs, outputs : int
        Numbers of channels.
    groups : int
        Number of fibers.
    norm : {"batch", "instance"}
    stride : int
        Stride of the 3x3x3 convolutions.
    dilations : sequence of int
        Dilations of the parallel 3x3x3 convolutions. Several are summed with learned weights,
        initialised to 1 (the dilated multi-fiber unit).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        groups: int,
        norm: Norm,
        *,
        stride: int = 1,
        dilations: Sequence[int] = (1,),
    ) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.squeeze = PreactivatedConv(inputs, inputs // 4, (1, 1, 1), norm)
        self.expand = PreactivatedConv(inputs // 4, middle, (1, 1, 1), norm)
        self.branches = nn.ModuleList(
            PreactivatedConv(
                middle, outputs, (3, 3, 3), norm, stride=stride, dilation=d, groups=groups
            )
            for d in dilations
        )
        self.scales = nn.Parameter(torch.ones(len(dilations))) if len(dilations) > 1 else None
        self.merge = PreactivatedConv(outputs, outputs, (3, 3, 1), norm, groups=groups)
        self.shortcut: nn.Module = nn.Identity()
        if stride == 2:
            self.shortcut = PreactivatedConv(inputs, outputs, (2, 2, 2), norm, stride=2)
        elif inputs != outputs:
            self.shortcut = PreactivatedConv(inputs, outputs, (1, 1, 1), norm)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.expand(self.squeeze(x))
        if self.scales is None:
            mixed = self.branches[0](inner)
        else:
            mixed = self.branches[0](inner, self.scales[0])
            for scale, branch in zip(self.scales[1:], self.branches[1:], strict=True):
                mixed = mixed + branch(inner, scale)
        return self.merge(mixed) + self.shortcut(x)  # type: ignore[no-any-return]
