"""The network rearranged for speed; its numbers are the same but for rounding.

- A norm behind a convolution is folded into its weights and bias, as are the branches' scalars; the
  head is folded into the last decoder's last convolutions.
- Units work on a few fibers at a time, see `folded_units`; groups of too few channels are merged.
- It ends at half resolution; what is doubled is decided later, see `smalltumor.scores`.
- The decoders never join two inputs into one: a 1x1x1 convolution of joined inputs is the sum of
  one for each.
- The deep levels, which cost little, see further than the crop: they get its features with the
  background's around them, see `surroundings`.
- The widest tensors, in front of the last decoder, are made and used up slab by slab.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from smalltumor.inference.folded_convs import FixedConv
from smalltumor.inference.folded_units import FoldedUnit
from smalltumor.inference.surroundings import relative_to_background
from smalltumor.network import STAGES, MultiFiberUnit, SegmentationNetwork

if TYPE_CHECKING:
    from smalltumor.checkpoint import Checkpoint

SLAB = 8
"""Planes of the half-resolution grid that the last decoder works on at a time; even."""

VIEWS = (8, 16)
"""Voxels on each side by which encoders 2 and 3 see more than the crop: multiples of 8 and 16."""

PARTS = 4
"""Parts the last decoder works on in a traced graph: every quarter-resolution axis has them."""


def inference_form(checkpoint: Checkpoint) -> FoldedNetwork | HalfNetwork:
    """A checkpoint's network as it runs fastest; the checkpoint's own module stays as it is.

    Its ``steps`` and ``forward`` end in the logits (1, class, i / 2, j / 2, k / 2), which the
    network doubles as its last step. Instance norms depend on the image and cannot be folded.
    """
    if checkpoint.config.norm == "batch":
        return FoldedNetwork(checkpoint.network)
    return HalfNetwork(checkpoint.network)


class HalfNetwork(nn.Module):
    """A network as it is, up to the logits at half resolution."""

    def __init__(self, network: SegmentationNetwork) -> None:
        super().__init__()
        self.network = deepcopy(network)

    def steps(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """See `FoldedNetwork.steps`."""
        for name, features in self.network.steps(x):
            yield name, features
            if name == "decoder 1":
                yield "head", self.network.head(features)
                return

    @staticmethod
    def count_steps(rows: int) -> int:
        """How many steps there are, whatever the input."""
        return len(STAGES)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (1, class, i / 2, j / 2, k / 2)."""
        *_, (_, logits) = self.steps(x)
        return logits


class FoldedNetwork(nn.Module):
    """The segmentation path of a network with batch norms, for inference only.

    Parameters
    ----------
    network : SegmentationNetwork
        In evaluation mode; not changed.
    views : two ints
        See `VIEWS`; with zeros, the numbers are the network's.
    """

    def __init__(self, network: SegmentationNetwork, views: tuple[int, int] = VIEWS) -> None:
        super().__init__()
        self.wider = views[0] // 4, (views[1] - views[0]) // 8
        network = relative_to_background(network)
        n, c = network.config.width, network.config.channels
        self.stem = FixedConv(network.stem, network.stem.weight)
        self.encoders = nn.ModuleList(
            _folded_stage(stage) for stage in (network.encoder1, network.encoder2, network.encoder3)
        )
        self.decoder3 = FoldedUnit(network.decoder3, [2 * c, 2 * c])
        self.decoder2 = FoldedUnit(network.decoder2, [c, 2 * c])
        self.decoder1 = FoldedUnit(network.decoder1, [n, c], network.head.weight.flatten(1))
        self.requires_grad_(False).eval()

    def steps(self, x: Tensor, slab: int | None = SLAB) -> Iterator[tuple[str, Tensor]]:
        """Run the network bit by bit, so that it can be watched and stopped.

        Parameters
        ----------
        x : (1, channel, i, j, k) tensor
            Each axis a multiple of 16.
        slab : int, optional
            Planes the last decoder works on at a time; if not given, a quarter of them, in a
            form that can be traced for any shape.

        Yields
        ------
        name : str
            Of the stage that goes on or has ended.
        features : tensor
            Of the last step, the logits (1, class, i / 2, j / 2, k / 2).
        """
        levels = [self.stem(x)]
        del x
        yield "stem", levels[0]
        for number, encoder in enumerate(self.encoders, start=1):
            features = [levels[-1] if number == 1 else _padded(levels[-1], self.wider[number - 2])]
            for unit in encoder.children():
                features = unit(features)
                yield f"encoder {number}", features[0]
            levels.append(torch.cat(features, dim=1))
        doubled = _double_middle(levels.pop(), self.wider[1])
        features = self.decoder3([levels.pop(), doubled])
        yield "decoder 3", features[0]
        doubled = _double_middle(torch.cat(features, dim=1), self.wider[0])
        features = self.decoder2([levels.pop(), doubled])
        deepest = torch.cat(features, dim=1)
        del features, doubled
        yield "decoder 2", deepest
        if slab is None:
            logits = self._decode_in_parts(levels.pop(), deepest)
        else:
            logits = yield from self._decode_in_slabs(levels.pop(), deepest, slab)
        yield "decoder 1", logits

    def _decode_in_slabs(
        self, stem: Tensor, features: Tensor, slab: int
    ) -> Generator[tuple[str, Tensor], None, Tensor]:
        """Decoder 1: its 1x1x1 convolutions need no neighbours, so the wide tensors stay short."""
        slabs = []
        for first in range(0, stem.shape[2], slab):
            rows = slice(first, min(first + slab, stem.shape[2]))
            doubled = _double_rows(features, rows)
            slabs.append(self.decoder1.pointwise([stem[:, :, rows], doubled]))
            yield "decoder 1", doubled
        del stem, features, doubled
        return self.decoder1.mapped(_joined(slabs))

    def _decode_in_parts(self, stem: Tensor, features: Tensor) -> Tensor:
        """Decoder 1 in a fixed number of parts, whose lengths may be a graph's variables."""
        rows = features.shape[2] // PARTS
        parts = []
        for part in range(PARTS):
            before, behind = int(part > 0), int(part < PARTS - 1)  # what doubling looks at
            near = features[:, :, part * rows - before : (part + 1) * rows + behind]
            doubled = _double(near)[:, :, 2 * before : 2 * (before + rows)]
            own = stem[:, :, 2 * part * rows : 2 * (part + 1) * rows]
            parts.append(self.decoder1.pointwise([own, doubled]))
        return self.decoder1.mapped(_joined(parts))

    @staticmethod
    def count_steps(rows: int, slab: int = SLAB) -> int:
        """How many steps an input with so many voxels along i takes."""
        return 13 + math.ceil(rows / 2 / slab)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (1, class, i / 2, j / 2, k / 2)."""
        *_, (_, logits) = self.steps(x, slab=None)
        return logits


def _folded_stage(stage: nn.Sequential) -> nn.ModuleList:
    folded: list[FoldedUnit] = []
    for unit in stage:
        assert isinstance(unit, MultiFiberUnit)
        parts = folded[-1].parts if folded else [unit.squeeze.conv.in_channels]
        folded.append(FoldedUnit(unit, parts))
    return nn.ModuleList(folded)


def _joined(slabs: list[list[Tensor]]) -> list[Tensor]:
    """Tensors that were made slab by slab along axis i, whole."""
    return [torch.cat(pieces, dim=2) for pieces in zip(*slabs, strict=True)]


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False)


def _padded(x: Tensor, voxels: int) -> Tensor:
    return functional.pad(x, (voxels,) * 6) if voxels else x


def _double_middle(x: Tensor, around: int) -> Tensor:
    """The doubled tensor without so many of its voxels on each side."""
    if not around:
        return _double(x)
    skipped = (around - 1) // 2  # the voxel beside the middle is what doubling looks at
    near = slice(skipped, -skipped or None)
    middle = slice(around - 2 * skipped, 2 * skipped - around)
    return _double(x[:, :, near, near, near])[:, :, middle, middle, middle]


def _double_rows(x: Tensor, rows: slice) -> Tensor:
    """The given rows (axis i, from an even one) of the doubled tensor, without the others."""
    first, last = max(rows.start // 2 - 1, 0), min(rows.stop // 2 + 1, x.shape[2])
    doubled = _double(x[:, :, first:last])
    return doubled[:, :, rows.start - 2 * first : rows.stop - 2 * first]
