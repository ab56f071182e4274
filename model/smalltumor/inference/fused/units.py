"""The network's units for inference, computed a few fibers at a time.

Between its 1x1x1 convolutions, the fibers of a multi-fiber unit are independent. In bundles of few
channels the features stay in the processor's caches: a grouped 3x3x3 convolution of 128 interleaved
channels takes twice as long as eight convolutions of 16, because the input of each group is spread
over the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from smalltumor.inference.fused.background import constant_response, expanded_background
from smalltumor.inference.fused.convs import (
    FULL_GROUP,
    FixedConv,
    Norm,
    PointwiseSum,
    RelativeReLU,
    added,
    affine,
    merge_groups,
)
from smalltumor.models.network import MultiFiberUnit, PreactivatedConv

BUNDLE = 32
"""Least number of channels that a unit computes at a time: a cache line in bfloat16. In float32 too
it is faster than 16, by 5 % in OpenVINO and 20 % in torch."""

WIDEST, DEEP_BUNDLE = 128, 64
"""Units of more than `WIDEST` channels have few voxels and gain little from bundles. Theirs have at
least `DEEP_BUNDLE` channels, because each bundle makes loading a compiled network slower."""


class Fibers(nn.Module):
    """The grouped convolutions of a few fibers.

    Parameters
    ----------
    unit : MultiFiberUnit
    inputs, outputs : slice
        The unit's channels that are its input and output; input of other fibers may be included.
    background : list of (inputs,) tensor
        Background that was subtracted from each branch's features.
    head : (classes, channels of the unit) tensor, optional
        A linear map of the unit's output; only the mapped output is computed, in float32.
    precision : torch.dtype
    """

    def __init__(
        self,
        unit: MultiFiberUnit,
        inputs: slice,
        outputs: slice,
        background: Sequence[Tensor],
        head: Tensor | None = None,
        precision: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        scale, shift = (values[outputs] for values in affine(unit.merge.norm))
        factors = [scale] if unit.scales is None else [scale * factor for factor in unit.scales]
        branches = []
        mixed = shift  # of background
        for factor, branch, values in zip(factors, _branches(unit), background, strict=True):
            weight, groups = _cut(branch.conv, inputs, outputs)
            weight = weight * factor.reshape(-1, 1, 1, 1, 1)
            mixed = mixed + constant_response(weight, groups, values)
            branches.append((branch.conv, weight, groups))
        least = mixed.relu().to(precision)
        seen = least.float()  # the value that padding stands for
        self.branches = nn.ModuleList(
            FixedConv(conv, weight, None if number else mixed - seen, groups, precision)
            for number, (conv, weight, groups) in enumerate(branches)
        )
        self.relu = RelativeReLU(least)
        weight, groups = _cut(unit.merge.conv, outputs, outputs)
        if head is not None:
            weight = merge_groups(weight, groups, 1)
            weight, groups = torch.einsum("hc,cdijk->hdijk", head[:, outputs], weight), 1
        bias = constant_response(weight, groups, seen)
        self.merge = FixedConv(unit.merge.conv, weight, bias, groups, precision, head is not None)

    def forward(self, active: Sequence[Tensor]) -> Tensor:
        """From one tensor per branch, after norm and ReLU, to the term added to the shortcut."""
        pairs = zip(self.branches, active, strict=True)
        mixed = added(branch(x) for branch, x in pairs)
        return self.merge(self.relu(mixed))  # type: ignore[no-any-return]


class Bundle(nn.Module):
    """Fibers that are computed together: their part of the expansion, and all that follows.

    Parameters
    ----------
    unit : MultiFiberUnit
    number, count : int
        Index and number of bundles.
    outputs : list of slice
        Channels of the unit, one slice for each part of the output.
    background : (channels of the expansion,) tensor
        The expansion's output for background.
    head, precision
        See `Fibers`.
    """

    def __init__(
        self,
        unit: MultiFiberUnit,
        number: int,
        count: int,
        outputs: Sequence[slice],
        background: Tensor,
        head: Tensor | None = None,
        precision: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        conv = unit.expand.conv
        middle = _share(conv.out_channels, number, count)
        norms = [tuple(v[middle] for v in affine(branch.norm)) for branch in _branches(unit)]
        least = [
            (scale * background[middle] + shift).relu().to(precision) for scale, shift in norms
        ]
        seen = [values.float() for values in least]
        weight, bias = conv.weight[middle], None
        if len(norms) == 1:
            scale, shift = norms[0]
            weight, bias = weight * scale.reshape(-1, 1, 1, 1, 1), shift - seen[0]
            self.activations = nn.ModuleList([RelativeReLU(least[0])])
        else:
            self.activations = nn.ModuleList(
                nn.Sequential(Norm(scale, shift - values), RelativeReLU(rounded))
                for (scale, shift), values, rounded in zip(norms, seen, least, strict=True)
            )
        self.expand = FixedConv(conv, weight, bias, precision=precision)
        self.fibers = nn.ModuleList(
            Fibers(unit, middle, own, seen, head, precision) for own in outputs
        )

    def active(self, squeezed: Tensor) -> list[Tensor]:
        """The input of each branch's convolution."""
        expanded = self.expand(squeezed)
        return [activation(expanded) for activation in self.activations]

    def mix(self, active: Sequence[Tensor]) -> Iterator[Tensor]:
        """The term added to the shortcut, a few channels at a time."""
        return (fibers(active) for fibers in self.fibers)


class FusedUnit(nn.Module):
    """A multi-fiber unit of one or several inputs, which pads with background instead of zeros.

    Parameters
    ----------
    unit : MultiFiberUnit
        In evaluation mode, with batch norms.
    parts : list of int
        Channels of each input.
    background : (channels of all inputs,) tensor
        The inputs for background.
    head : (classes, channels of the unit) tensor, optional
        A linear map of the unit's output; only the mapped output is computed, in float32.
    precision : torch.dtype
        Of the features and the convolutions' weights.

    Attributes
    ----------
    parts : list of int
        Channels of each output.
    """

    def __init__(
        self,
        unit: MultiFiberUnit,
        parts: list[int],
        background: Tensor,
        head: Tensor | None = None,
        precision: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        scale, shift = affine(unit.expand.norm)
        self.squeeze = PointwiseSum(unit.squeeze, parts, torch.diag(scale), shift, precision)
        middle, outputs = unit.expand.conv.out_channels, unit.merge.conv.out_channels
        least = BUNDLE if outputs <= WIDEST else DEEP_BUNDLE
        count = _most_parts(unit.merge.conv.groups, outputs, least)
        bundles = _most_parts(count, middle, FULL_GROUP)
        own = [_share(outputs, number, count) for number in range(count)]
        expanded = expanded_background(unit, background)
        self.bundles = nn.ModuleList(
            Bundle(unit, n, bundles, own[_share(count, n, bundles)], expanded, head, precision)
            for n in range(bundles)
        )
        self.parts = [outputs // count] * count
        self.shortcut: PointwiseSum | None = None
        if isinstance(unit.shortcut, PreactivatedConv):
            wide = head is not None
            self.shortcut = PointwiseSum(unit.shortcut, parts, head, None, precision, wide)

    def forward(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Features (1, channel, i, j, k) to features, both in parts of their channels."""
        shortcuts = inputs
        if self.shortcut is not None:
            shortcuts = self.shortcut(inputs).split(self.parts, dim=1)
        squeezed = self.squeeze(inputs).relu_()
        mixed = (part for bundle in self._every() for part in bundle.mix(bundle.active(squeezed)))
        return [part.add_(shortcut) for part, shortcut in zip(mixed, shortcuts, strict=True)]

    def pointwise(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The voxelwise part of a unit of one branch: each bundle's features, and the shortcut."""
        assert self.shortcut is not None
        squeezed = self.squeeze(inputs).relu_()
        active = [features for bundle in self._every() for features in bundle.active(squeezed)]
        return [*active, self.shortcut(inputs)]

    def mapped(self, pointwise: Sequence[Tensor]) -> Tensor:
        """The head's output, from that of `pointwise`."""
        *active, shortcut = pointwise
        pairs = zip(self._every(), active, strict=True)
        return added([shortcut, *(part for bundle, x in pairs for part in bundle.mix([x]))])

    def _every(self) -> Iterator[Bundle]:
        for bundle in self.bundles:
            assert isinstance(bundle, Bundle)
            yield bundle


def _cut(conv: nn.Conv3d, inputs: slice, outputs: slice) -> tuple[Tensor, int]:
    """A grouped convolution of some channels to some others: weights, and number of groups.

    If `inputs` has channels that the outputs do not need, it is one group padded with zeros.
    """
    weight = conv.weight[outputs]
    groups = conv.groups * len(weight) // conv.out_channels
    first = conv.in_channels * outputs.start // conv.out_channels
    width = groups * weight.shape[1]
    if inputs == slice(first, first + width):
        return weight, groups
    wide = weight.new_zeros(len(weight), inputs.stop - inputs.start, *weight.shape[2:])
    place = first - inputs.start
    wide[:, place : place + width] = merge_groups(weight, groups, 1)
    return wide, 1


def _share(total: int, number: int, count: int) -> slice:
    return slice(total * number // count, total * (number + 1) // count)


def _most_parts(whole: int, channels: int, least: int) -> int:
    """The largest divisor of `whole` that leaves each part so many channels, at least."""
    fitting = (n for n in range(1, whole + 1) if whole % n == 0 and channels // n >= least)
    return max(fitting, default=1)


def _branches(unit: MultiFiberUnit) -> list[PreactivatedConv]:
    return [branch for branch in unit.branches if isinstance(branch, PreactivatedConv)]
