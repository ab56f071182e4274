"""Inference with PyTorch on any of its devices."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import numpy as np

from smalltumor.data.probabilities.network_output import HalfResolutionLogits
from smalltumor.geometry.array_order import reverse_axes
from smalltumor.inference.backends.base import BFLOAT16_MIN_EDGE, Array, is_plausible
from smalltumor.inference.devices import describe_device, torch_precision
from smalltumor.inference.pool import Pool
from smalltumor.progress import ProgressReporter

if TYPE_CHECKING:
    import torch

    from smalltumor.inference.fused.network import FusedNetwork, HalfResolutionNetwork
    from smalltumor.models.checkpoint import Checkpoint

# Use huge pages on Linux: otherwise page faults take a third of the time of an elementwise
# operation. torch reads the variable once, at its first allocation.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

BYTES_PER_VOXEL = 145
"""Peak memory of a pass over the whole volume in float32 on a CPU, input and output included: the
maximum of the values that `tests/benchmarks/inference/memory.py` measured, from 105."""


class TorchBackend:
    """A checkpoint's network on a torch device.

    Parameters
    ----------
    checkpoint : Checkpoint
    device : str
        ``cpu``, ``cuda:0``, ``mps``.
    precision : torch.dtype, optional
        By default `torch_precision` of the device.
    """

    backend = "torch"

    def __init__(
        self, checkpoint: Checkpoint, device: str = "cpu", precision: torch.dtype | None = None
    ) -> None:
        import torch

        self.device = describe_device(device)
        self._checkpoint = checkpoint
        self._torch_device = torch.device(device)
        self._precision = precision or torch_precision(device)
        self._networks: dict[torch.dtype, FusedNetwork | HalfResolutionNetwork] = {}
        self._network(self._precision)

    def __call__(self, array: Array, progress: ProgressReporter) -> HalfResolutionLogits:
        """See `InferenceBackend`."""
        import torch

        reversed_array = np.ascontiguousarray(reverse_axes(array))
        precision = self._precision
        if precision is torch.bfloat16 and min(array.shape[1:]) < BFLOAT16_MIN_EDGE:
            precision = torch.float32
        logits = self._run(reversed_array, precision, progress)
        if precision is not torch.float32 and not is_plausible(logits):
            self._precision = torch.float32
            self._networks.clear()
            logits = self._run(reversed_array, torch.float32, progress)
        return HalfResolutionLogits(reverse_axes(logits))

    def release_memory(self) -> None:
        """Do nothing: on a CPU, torch frees the memory of a run at its end."""

    def _run(self, array: Array, precision: torch.dtype, progress: ProgressReporter) -> Array:
        """The logits (class, s / 2, p / 2, l / 2) of an array (channel, s, p, l)."""
        import torch

        network = self._network(precision)
        total = network.count_steps(array.shape[1])
        with torch.inference_mode():
            x = torch.from_numpy(array)[None]
            x = x.to(self._torch_device, precision, memory_format=torch.channels_last_3d)
            features: torch.Tensor
            for number, (_, features) in enumerate(network.steps(x), start=1):  # noqa: B007
                progress.update(number / total, "segmenting")
            logits: Array = features[0].float().contiguous().cpu().numpy()
        return logits

    def _network(self, precision: torch.dtype) -> FusedNetwork | HalfResolutionNetwork:
        if precision not in self._networks:
            self._networks[precision] = self._load_network(precision)
        return self._networks[precision]

    def _load_network(self, precision: torch.dtype) -> FusedNetwork | HalfResolutionNetwork:
        import torch

        from smalltumor.inference.fused.network import network_for_inference, reverse_network_axes

        network = network_for_inference(reverse_network_axes(self._checkpoint.network), precision)
        network = network.to(self._torch_device)
        return network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload,no-any-return]


_backends: Pool[TorchBackend] = Pool()


def torch_backend(checkpoint: Checkpoint, device: str) -> AbstractContextManager[TorchBackend]:
    """Borrow a backend for one run; the pool caches the last one for the next run."""
    return _backends.borrow((checkpoint.digest, device), lambda: TorchBackend(checkpoint, device))
