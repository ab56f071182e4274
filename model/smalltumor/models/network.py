"""The multi-task network of Ngo et al. 2020 on the DMFNet backbone of Chen et al. 2019.

Tensors are (batch, channel, i, j, k) with the voxel axes in the NIfTI array's order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from smalltumor.models.config import NetworkConfig
from smalltumor.models.units import DILATIONS, MultiFiberUnit
from smalltumor.models.upsampling import upsample_trilinear

__all__ = ["STAGES", "MultiTaskNetwork", "MultiTaskOutput", "NetworkConfig", "SegmentationNetwork"]

STAGES = (
    "stem",
    "encoder 1",
    "encoder 2",
    "encoder 3",
    "decoder 3",
    "decoder 2",
    "decoder 1",
    "head",
)
"""Names of the stages, in the order in which `SegmentationNetwork.steps` yields them."""


class SegmentationNetwork(nn.Module):
    """The segmentation path, which is the part that inference uses.

    Each axis of the input must be a multiple of 16.

    Parameters
    ----------
    config : NetworkConfig, optional
        By default the size in the paper (3,875,890 parameters).

    Notes
    -----
    All convolutions are initialised by Kaiming normal. (The published code replaces the dilated
    units after this initialisation, so there they keep torch's default.)
    """

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or NetworkConfig()
        n, c = config.width, config.channels
        self.stem = nn.Conv3d(config.in_channels, n, 3, stride=2, padding=1, bias=False)
        self.encoder1 = self._encoder(n, (c, c, c), DILATIONS)
        self.encoder2 = self._encoder(c, (2 * c, 2 * c, 2 * c), DILATIONS)
        self.encoder3 = self._encoder(2 * c, (3 * c, 3 * c, 2 * c), (1,))
        self.decoder3 = self._unit(4 * c, 2 * c)
        self.decoder2 = self._unit(3 * c, c)
        self.decoder1 = self._unit(c + n, n)
        self.head = nn.Conv3d(n, config.classes, 1, bias=False)
        self.apply(_initialise)

    def _unit(
        self, inputs: int, outputs: int, stride: int = 1, dilations: Sequence[int] = (1,)
    ) -> MultiFiberUnit:
        config = self.config
        return MultiFiberUnit(
            inputs, outputs, config.groups, config.norm, stride=stride, dilations=dilations
        )

    def _encoder(
        self, inputs: int, outputs: Sequence[int], dilations: Sequence[int]
    ) -> nn.Sequential:
        units = []
        for position, size in enumerate(outputs):
            units.append(self._unit(inputs, size, 1 if position else 2, dilations))
            inputs = size
        return nn.Sequential(*units)

    def steps(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Run the network one stage at a time, to report progress and to allow cancellation.

        Parameters
        ----------
        x : (b, in_channels, i, j, k) tensor
            Normalised modalities; i, j and k are multiples of 16.

        Yields
        ------
        name : str
            One of `STAGES`.
        features : tensor
            Output of the stage; the last stage yields the logits (b, classes, i, j, k).
        """
        stem = self.stem(x)
        yield "stem", stem
        half = self.encoder1(stem)
        yield "encoder 1", half
        quarter = self.encoder2(half)
        yield "encoder 2", quarter
        features = self.encoder3(quarter)
        yield "encoder 3", features
        features = self.decoder3(torch.cat([quarter, upsample_trilinear(features)], dim=1))
        del quarter
        yield "decoder 3", features
        features = self.decoder2(torch.cat([half, upsample_trilinear(features)], dim=1))
        del half
        yield "decoder 2", features
        features = self.decoder1(torch.cat([stem, upsample_trilinear(features)], dim=1))
        del stem
        yield "decoder 1", features
        # A 1x1x1 convolution without bias commutes with interpolation; in this order it has
        # an eighth of the voxels to process.
        yield "head", upsample_trilinear(self.head(features))

    def logits(self, x: Tensor) -> Tensor:
        """Logits, (b, classes, i, j, k): the output before the softmax."""
        for name, features in self.steps(x):
            if name == STAGES[-1]:
                return features
        raise AssertionError("unreachable: the last stage always runs")

    def forward(self, x: Tensor) -> Tensor:
        """Class probabilities.

        Parameters
        ----------
        x : (b, in_channels, i, j, k) tensor
            Normalised modalities; each axis a multiple of 16.

        Returns
        -------
        (b, classes, i, j, k) tensor
            The classes of each voxel sum to 1.
        """
        return torch.softmax(self.logits(x), dim=1)


@dataclass
class MultiTaskOutput:
    """Output of a training step's forward pass, from which the loss is computed.

    Parameters
    ----------
    logits : (b, classes, i, j, k) tensor
    reconstructions : list of tensor
        Features reconstructed by U-modules 1 and 2.
    targets : list of tensor
        The features that they reconstruct, of the same shapes, not detached.
    regularisation : scalar tensor, optional
        A further loss of the network itself, already weighted; the multi-task network has none.
    """

    logits: Tensor
    reconstructions: list[Tensor]
    targets: list[Tensor]
    regularisation: Tensor | None = None


class Features(NamedTuple):
    """Logits, and the outputs of the stem and of encoders 1 and 2."""

    logits: Tensor
    stem: Tensor
    half: Tensor
    quarter: Tensor


class MultiTaskNetwork(SegmentationNetwork):
    """The segmentation path and the two U-module decoders that only training uses.

    A U-module reconstructs an encoder's input from its output (Ngo et al. 2020, eq. 3). U-module 1
    belongs to encoder 1, U-module 2 to encoder 2.
    """

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__(config)
        n, c = self.config.width, self.config.channels
        self.u_module1 = self._unit(c, n)
        self.u_module2 = self._unit(2 * c, c)
        self.u_module1.apply(_initialise)
        self.u_module2.apply(_initialise)

    def outputs(self, x: Tensor, *, reconstruction: bool = True) -> MultiTaskOutput:
        """Logits and, with reconstruction, the features that the U-modules reconstruct.

        Parameters
        ----------
        x : (b, in_channels, i, j, k) tensor
        reconstruction : bool
            If False, the U-modules are not run (the DMFNet baseline).
        """
        features = self.features(x)
        if not reconstruction:
            return MultiTaskOutput(features.logits, [], [])
        reconstructions = self.reconstruct(features.half, features.quarter)
        return MultiTaskOutput(features.logits, reconstructions, [features.stem, features.half])

    def features(self, x: Tensor) -> Features:
        """Logits, and the features that the U-modules read or reconstruct; `x` as of `outputs`."""
        stages = dict(self.steps(x))
        return Features(*(stages[name] for name in ("head", "stem", "encoder 1", "encoder 2")))

    def reconstruct(self, half: Tensor, quarter: Tensor) -> list[Tensor]:
        """Inputs of encoders 1 and 2 (b, channel, i, j, k), reconstructed from their outputs."""
        return [
            self.u_module1(upsample_trilinear(half)),
            self.u_module2(upsample_trilinear(quarter)),
        ]

    def compile_training(self) -> None:
        """Compile what `outputs` runs with ``torch.compile``, as two functions.

        Steps without reconstruction and those with it then share the larger one, and only that one
        is compiled again when the batch-norm statistics are frozen.
        """
        for name in ("features", "reconstruct"):
            setattr(self, name, torch.compile(getattr(self, name)))


def _initialise(module: nn.Module) -> None:
    # Weights without memory are replaced; to draw them, torch would import its compiler and Triton,
    # which crashes where Mesa has loaded another LLVM.
    if isinstance(module, nn.Conv3d) and not module.weight.is_meta:
        nn.init.kaiming_normal_(module.weight)
