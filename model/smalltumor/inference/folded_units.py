"""The network's units with their norms folded into the weights, and inputs never joined."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from smalltumor.network import MultiFiberUnit, PreactivatedConv

FULL_GROUP = 8
"""Float32 numbers in the vector registers of most processors."""

_ONEDNN = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


class FixedConv(nn.Module):
    """A convolution like another, of other weights.

    Parameters
    ----------
    source : nn.Conv3d
        Gives stride, padding, dilation and groups.
    weight : (outputs, inputs per group, i, j, k) tensor
    bias : (outputs,) tensor, optional
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, source: nn.Conv3d, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        weight, self.groups = _merge_narrow_groups(weight.detach(), source.groups)
        self.register_buffer("weight", weight.clone())
        self.register_buffer("bias", None if bias is None else bias.detach().clone())
        self.stride, self.padding = list(source.stride), [int(p) for p in source.padding]
        self.dilation = list(source.dilation)

    def forward(self, x: Tensor) -> Tensor:
        geometry = self.stride, self.padding, self.dilation, self.groups
        if x.device.type == "cpu" and _ONEDNN and not torch.jit.is_tracing():  # type: ignore
            # With one thread torch prefers its own kernels, which are half as fast here.
            stride, padding, dilation, groups = geometry
            return torch.mkldnn_convolution(
                x, self.weight, self.bias, padding, stride, dilation, groups
            )
        return functional.conv3d(x, self.weight, self.bias, *geometry)


class Activation(nn.Module):
    """A norm with fixed statistics, then ReLU: ``max(0, x * scale + shift)``.

    Parameters
    ----------
    scale, shift : (channels,) tensor
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale.reshape(1, -1, 1, 1, 1).clone())
        self.register_buffer("shift", shift.reshape(1, -1, 1, 1, 1).clone())

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.shift, x, self.scale).relu_()


class PointwiseSum(nn.Module):
    """A pre-activated 1x1x1 (or strided 2x2x2) convolution of inputs that were to be joined.

    Parameters
    ----------
    source : PreactivatedConv
    parts : list of int
        Channels of each input.
    scale, shift : (channels,) tensor, optional
        A norm behind the convolution.
    """

    def __init__(
        self,
        source: PreactivatedConv,
        parts: list[int],
        scale: Tensor | None = None,
        shift: Tensor | None = None,
    ) -> None:
        super().__init__()
        before, behind = _affine(source.norm)
        weights = source.conv.weight
        self.activations = nn.ModuleList(
            Activation(s, b)
            for s, b in zip(torch.split(before, parts), torch.split(behind, parts), strict=True)
        )
        biases: list[Tensor | None] = [shift] + [None] * (len(parts) - 1)
        self.convs = nn.ModuleList(
            fixed_conv(source.conv, weight, scale, bias)
            for weight, bias in zip(torch.split(weights, parts, dim=1), biases, strict=True)
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        pairs = zip(self.activations, self.convs, inputs, strict=True)
        total: Tensor | None = None
        for activation, conv, x in pairs:
            y = conv(activation(x))
            total = y if total is None else total.add_(y)
        assert total is not None
        return total


class FoldedUnit(nn.Module):
    """A multi-fiber unit of one or several inputs.

    Parameters
    ----------
    unit : MultiFiberUnit
        In evaluation mode, with batch norms.
    parts : list of int
        Channels of each input.
    """

    def __init__(self, unit: MultiFiberUnit, parts: list[int]) -> None:
        super().__init__()
        self.squeeze = PointwiseSum(unit.squeeze, parts, *_affine(unit.expand.norm))
        scale, shift = _affine(unit.merge.norm)
        branches = [_branch(branch) for branch in unit.branches]
        norms = [_affine(branch.norm) for branch in branches]
        if len(branches) == 1:
            self.expand = fixed_conv(unit.expand.conv, unit.expand.conv.weight, *norms[0])
            self.activations = nn.ModuleList([nn.ReLU(inplace=True)])
            weights = [branches[0].conv.weight]
        else:
            assert unit.scales is not None
            self.expand = fixed_conv(unit.expand.conv, unit.expand.conv.weight)
            self.activations = nn.ModuleList(Activation(*norm) for norm in norms)
            weights = [b.conv.weight * s for b, s in zip(branches, unit.scales, strict=True)]
        biases: list[Tensor | None] = [shift] + [None] * (len(branches) - 1)
        self.branches = nn.ModuleList(
            fixed_conv(branch.conv, weight, scale, bias)
            for branch, weight, bias in zip(branches, weights, biases, strict=True)
        )
        self.merge = fixed_conv(unit.merge.conv, unit.merge.conv.weight)
        self.shortcut: PointwiseSum | None = None
        if isinstance(unit.shortcut, PreactivatedConv):
            self.shortcut = PointwiseSum(unit.shortcut, parts)

    def pointwise(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """What the unit does voxel by voxel: the expanded features, and the shortcut's."""
        expanded = self.expand(self.squeeze(inputs).relu_())
        return expanded, inputs[0] if self.shortcut is None else self.shortcut(inputs)

    def mix(self, expanded: Tensor, shortcut: Tensor) -> Tensor:
        """The grouped convolutions; `expanded` is used up."""
        total: Tensor | None = None
        for activation, branch in zip(self.activations, self.branches, strict=True):
            mixed = branch(activation(expanded))
            total = mixed if total is None else total.add_(mixed)
        assert total is not None
        merged: Tensor = self.merge(total.relu_())
        return merged.add_(shortcut)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.mix(*self.pointwise(inputs))


def _merge_narrow_groups(weight: Tensor, groups: int) -> tuple[Tensor, int]:
    """The same grouped convolution in fewer groups, padded with zeros.

    Vector units work on `FULL_GROUP` channels at once. Measured on two cores with AVX2: the last
    decoder's groups of 2 to 2 channels are fastest as 8 to 8 (1.4 times), the first encoder's of
    2 to 8 as 4 to 16 (2 times); groups of 8 to 8 are fastest as they are.
    """
    outputs, inputs = weight.shape[0] // groups, weight.shape[1]
    merged = math.isqrt(FULL_GROUP**2 // (inputs * outputs))
    if groups == 1 or merged < 2 or groups % merged:
        return weight, groups
    wide = weight.new_zeros(weight.shape[0], inputs * merged, *weight.shape[2:])
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        first = group % merged * inputs
        wide[rows, first : first + inputs] = weight[rows]
    return wide, groups // merged


def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Scale and shift of a batch norm in evaluation mode."""
    assert isinstance(norm, nn.BatchNorm3d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


def fixed_conv(
    source: nn.Conv3d, weight: Tensor, scale: Tensor | None = None, bias: Tensor | None = None
) -> FixedConv:
    """A convolution like another, of other weights; `scale` multiplies what comes out."""
    if scale is not None:
        weight = weight * scale.reshape(-1, 1, 1, 1, 1)
    return FixedConv(source, weight, bias)


def _branch(module: nn.Module) -> PreactivatedConv:
    assert isinstance(module, PreactivatedConv)
    return module
