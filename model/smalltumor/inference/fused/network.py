"""The network optimised for inference; its results differ only by rounding.

- A norm after a convolution and the scales of the branches are fused into the weights and the bias;
  the head is fused into the last convolutions of the last decoder.
- Convolutions pad with the background response instead of zeros, see `background`, so a crop of the
  brain gives the results of the whole volume.
- Units are computed in bundles of fibers, see `units`; groups of few channels are merged.
- The logits have half resolution, see `smalltumor.data.probabilities.network_output`.
- The decoders do not concatenate their inputs: a 1x1x1 convolution of concatenated inputs is the
  sum of one convolution of each.
- In torch the largest tensors, the input of the last decoder, are computed slab by slab.
- In half precision, the weights are rounded so that their errors cancel, see `convs.round_kernels`.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from smalltumor.inference.fused.background import background_response
from smalltumor.inference.fused.convs import FixedConv
from smalltumor.inference.fused.units import FusedUnit
from smalltumor.models.network import STAGES, SegmentationNetwork
from smalltumor.models.units import MultiFiberUnit

SLAB = 4
"""Planes of the half-resolution grid in a slab of the last decoder; an even number.

With 8, some tensors exceed the 32 MiB that the allocator caches, and bfloat16 in torch takes up to
a quarter longer.
"""


def reverse_network_axes(network: SegmentationNetwork) -> SegmentationNetwork:
    """A copy of the network for arrays with reversed axes, (channel, s, p, l).

    A case is processed in the memory layout of its file, with the first axis fastest (Fortran
    order). Reordering four modalities takes longer than normalising them, so the axes of the
    kernels are reversed instead.

    Parameters
    ----------
    network : SegmentationNetwork
        For arrays (channel, l, p, s); not changed.
    """
    network = deepcopy(network)
    for conv in network.modules():
        if isinstance(conv, nn.Conv3d):
            weight = conv.weight.detach().permute(0, 1, 4, 3, 2).contiguous()
            conv.weight = nn.Parameter(weight, requires_grad=False)
            for name in ("kernel_size", "stride", "padding", "dilation"):
                setattr(conv, name, tuple(reversed(getattr(conv, name))))
    return network


def network_for_inference(
    network: SegmentationNetwork, precision: torch.dtype = torch.float32
) -> FusedNetwork | HalfResolutionNetwork:
    """A copy of the network optimised for inference.

    Its input must have the given precision. ``steps`` and ``forward`` return the logits at half
    resolution, (1, class, i / 2, j / 2, k / 2). A network with instance norms is not fused, because
    their scale, shift and background response depend on the image.
    """
    if network.config.norm == "batch":
        return FusedNetwork(network, precision)
    return HalfResolutionNetwork(network).to(precision)


class HalfResolutionNetwork(nn.Module):
    """An unfused network that returns the logits at half resolution."""

    def __init__(self, network: SegmentationNetwork) -> None:
        super().__init__()
        self.network = deepcopy(network)

    def steps(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """See `FusedNetwork.steps`."""
        for name, features in self.network.steps(x):
            yield name, features
            if name == "decoder 1":
                yield "head", self.network.head(features)
                return

    @staticmethod
    def count_steps(rows: int) -> int:
        """The number of steps; it does not depend on the input."""
        return len(STAGES)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (1, class, i / 2, j / 2, k / 2)."""
        *_, (_, logits) = self.steps(x)
        return logits


class FusedNetwork(nn.Module):
    """The segmentation path of a network with batch norms, for inference only.

    Parameters
    ----------
    network : SegmentationNetwork
        In evaluation mode; not changed.
    precision : torch.dtype
        Precision of features and weights; norms and biases are float32.
    """

    def __init__(
        self, network: SegmentationNetwork, precision: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        n, c = network.config.width, network.config.channels
        self.stem = FixedConv(network.stem, network.stem.weight, precision=precision)
        background = network.stem.weight.new_zeros(n)
        self.encoders = nn.ModuleList()
        levels = [background]
        for stage in (network.encoder1, network.encoder2, network.encoder3):
            fused, background = _fused_stage(stage, background, precision)
            self.encoders.append(fused)
            levels.append(background)
        deepest = levels.pop()
        joined = torch.cat([levels.pop(), deepest])
        self.decoder3 = FusedUnit(network.decoder3, [2 * c, 2 * c], joined, precision=precision)
        joined = torch.cat([levels.pop(), background_response(network.decoder3, joined)])
        self.decoder2 = FusedUnit(network.decoder2, [c, 2 * c], joined, precision=precision)
        joined = torch.cat([levels.pop(), background_response(network.decoder2, joined)])
        head = network.head.weight.flatten(1)
        self.decoder1 = FusedUnit(network.decoder1, [n, c], joined, head, precision)
        self.requires_grad_(False).eval()

    def steps(self, x: Tensor, slab: int | None = SLAB) -> Iterator[tuple[str, Tensor]]:
        """Run the network step by step, so that it can report progress and be cancelled.

        Parameters
        ----------
        x : (1, channel, i, j, k) tensor
            Each axis a multiple of 16.
        slab : int, optional
            Number of planes that the last decoder computes at a time. If None, it computes all
            planes at once, in a form that can be traced for any shape.

        Yields
        ------
        name : str
            Name of the current stage.
        features : tensor
            Output of the step; the last step yields the logits (1, class, i / 2, j / 2, k / 2).
        """
        levels = [self.stem(x)]
        del x
        yield "stem", levels[0]
        for number, encoder in enumerate(self.encoders, start=1):
            features = [levels[-1]]
            for unit in encoder.children():
                features = unit(features)
                yield f"encoder {number}", features[0]
            levels.append(torch.cat(features, dim=1))
        deepest = levels.pop()
        for number, decoder in ((3, self.decoder3), (2, self.decoder2)):
            features = decoder([levels.pop(), _double(deepest)])
            deepest = torch.cat(features, dim=1)
            yield f"decoder {number}", deepest
        del features
        if slab is None:
            logits = self.decoder1.mapped(self.decoder1.pointwise([levels.pop(), _double(deepest)]))
        else:
            logits = yield from self._decode_in_slabs(levels.pop(), deepest, slab)
        yield "decoder 1", logits

    def _decode_in_slabs(
        self, stem: Tensor, features: Tensor, slab: int
    ) -> Generator[tuple[str, Tensor], None, Tensor]:
        """Decoder 1, whose 1x1x1 convolutions are computed in slabs."""
        slabs = []
        for first in range(0, stem.shape[2], slab):
            rows = slice(first, min(first + slab, stem.shape[2]))
            doubled = _double_rows(features, rows)
            slabs.append(self.decoder1.pointwise([stem[:, :, rows], doubled]))
            yield "decoder 1", doubled
        del stem, features, doubled
        return self.decoder1.mapped(_joined(slabs))

    @staticmethod
    def count_steps(rows: int) -> int:
        """The number of steps for an input of `rows` voxels along i."""
        return 13 + math.ceil(rows / 2 / SLAB)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (1, class, i / 2, j / 2, k / 2)."""
        *_, (_, logits) = self.steps(x, slab=None)
        return logits


def _fused_stage(
    stage: nn.Sequential, background: Tensor, precision: torch.dtype
) -> tuple[nn.ModuleList, Tensor]:
    """A fused stage and its response to background; `background` is that of its input."""
    fused: list[FusedUnit] = []
    for unit in stage:
        assert isinstance(unit, MultiFiberUnit)
        parts = fused[-1].parts if fused else [unit.squeeze.conv.in_channels]
        fused.append(FusedUnit(unit, parts, background, precision=precision))
        background = background_response(unit, background)
    return nn.ModuleList(fused), background


def _joined(slabs: list[list[Tensor]]) -> list[Tensor]:
    """Concatenate the slabs of each tensor along axis i."""
    return [torch.cat(pieces, dim=2) for pieces in zip(*slabs, strict=True)]


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False)


def _double_rows(x: Tensor, rows: slice) -> Tensor:
    """Rows of the doubled tensor along i; the first row has an even index."""
    first, last = max(rows.start // 2 - 1, 0), min(rows.stop // 2 + 1, x.shape[2])
    doubled = _double(x[:, :, first:last])
    return doubled[:, :, rows.start - 2 * first : rows.stop - 2 * first]
