"""The network that a run trains: how it is created, segments a whole volume, and is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from smalltumor.data.preprocessing import Preprocessing
from smalltumor.data.probabilities.network_output import HalfResolutionLogits
from smalltumor.inference.fused.network import network_for_inference
from smalltumor.labels.masks import Classes
from smalltumor.models.checkpoint import save_checkpoint
from smalltumor.models.config import NetworkConfig
from smalltumor.models.network import MultiTaskNetwork, SegmentationNetwork
from smalltumor.training.data.training_case import TrainingCase
from smalltumor.training.data.whole_volumes import Predict, whole_volume


class Architecture(Protocol):
    """What a run needs to know about its network.

    Runs train `MultiTaskArchitecture` unless `smalltumor.training.execution.train.train` is given
    another one, as in ``tests/benchmarks/training/peers.py``, which trains networks of MONAI in the
    same way.
    """

    def training_network(self) -> nn.Module:
        """A network with random weights.

        It has an ``outputs`` like that of `MultiTaskNetwork`, and a ``compile_training`` if runs
        are to compile it.
        """

    def inference_network(self) -> nn.Module:
        """A network of the part that inference uses, whose state is part of the other's state."""

    def predictor(self, network: nn.Module, device: torch.device) -> Predict:
        """Create a function that segments whole volumes.

        Parameters
        ----------
        network : nn.Module
            From `inference_network`, in evaluation mode.
        device : torch.device
        """

    def save(
        self, path: Path, network: nn.Module, preprocessing: Preprocessing, card: Mapping[str, Any]
    ) -> None:
        """Write a network from `inference_network`; an existing file is replaced."""


class MultiTaskArchitecture:
    """The multi-task network of the paper; see `Architecture`.

    Parameters
    ----------
    config : NetworkConfig
    """

    def __init__(self, config: NetworkConfig) -> None:
        self.config = config

    def training_network(self) -> nn.Module:
        """The network with both U-modules."""
        return MultiTaskNetwork(self.config)

    def inference_network(self) -> nn.Module:
        """The segmentation path."""
        return SegmentationNetwork(self.config)

    @torch.inference_mode()
    def predictor(self, network: nn.Module, device: torch.device) -> Predict:
        """A function that returns the labels that `segment` gives in single precision."""
        assert isinstance(network, SegmentationNetwork)
        fused = network_for_inference(network)
        fused.to(device, memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

        @torch.inference_mode()
        def predict(case: TrainingCase) -> Classes:
            *_, (_, logits) = fused.steps(whole_volume(case, device))
            half = HalfResolutionLogits(logits[0].float().contiguous().cpu().numpy())
            i, j, k = case.classes.shape
            return half.crop((i, j, k)).classes()

        return predict

    def save(
        self, path: Path, network: nn.Module, preprocessing: Preprocessing, card: Mapping[str, Any]
    ) -> None:
        """Write a checkpoint for `segment`."""
        assert isinstance(network, SegmentationNetwork)
        save_checkpoint(path, network, preprocessing, card, overwrite=True)
