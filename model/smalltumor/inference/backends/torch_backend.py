"""The network run by PyTorch, on any of its devices."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from smalltumor.data.network_output import HalfResolutionLogits
from smalltumor.geometry.array_order import reverse_axes
from smalltumor.inference.backends.base import Array
from smalltumor.inference.devices import describe_device, torch_precision
from smalltumor.inference.progress import ProgressReporter

if TYPE_CHECKING:
    import torch

    from smalltumor.models.checkpoint import Checkpoint

# On Linux, fresh tensors in huge pages: else a third of an elementwise step is page faults.
# torch reads this once, at its first allocation.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

BYTES_PER_VOXEL = 145
"""Peak of a whole pass in float32 on a CPU, input and result included: the most that
`tests/benchmarks/memory.py` has said, from 105 on."""


class TorchBackend:
    """A checkpoint's network on a torch device.

    Parameters
    ----------
    checkpoint : Checkpoint
    device : str
        ``cpu``, ``cuda:0``, ``mps``.
    precision : torch.dtype, optional
        By default the fastest the device is good at, see `torch_precision`.
    """

    backend = "torch"

    def __init__(
        self, checkpoint: Checkpoint, device: str = "cpu", precision: torch.dtype | None = None
    ) -> None:
        import torch

        from smalltumor.inference.fused.axis_order import reverse_network_axes
        from smalltumor.inference.fused.network import network_for_inference

        self.device = describe_device(device)
        self._place = torch.device(device)
        self._precision = precision or torch_precision(device)
        network = network_for_inference(
            reverse_network_axes(checkpoint.network), self._precision
        ).to(self._place)
        self._network = network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def __call__(self, array: Array, progress: ProgressReporter) -> HalfResolutionLogits:
        """See `InferenceBackend`."""
        import torch

        array = np.ascontiguousarray(reverse_axes(array))
        with torch.inference_mode():
            logits = self._logits(array, progress)
            if self._precision is torch.float16 and not torch.isfinite(logits).all():
                self._network = self._network.float()  # features beyond 65504
                self._precision = torch.float32
                logits = self._logits(array, progress)
            values = logits[0].float().contiguous().cpu().numpy()
        return HalfResolutionLogits(reverse_axes(values))

    def _logits(self, array: Array, progress: ProgressReporter) -> torch.Tensor:
        total = self._network.count_steps(array.shape[1])
        features: torch.Tensor
        for number, (_, features) in enumerate(self._network.steps(self._input(array)), start=1):  # noqa: B007
            progress.update(number / total, "segmenting")
        return features

    def _input(self, array: Array) -> torch.Tensor:
        import torch

        x = torch.from_numpy(array)[None]
        return x.to(self._place, self._precision, memory_format=torch.channels_last_3d)


_latest: dict[tuple[str, str], TorchBackend] = {}


def torch_backend(checkpoint: Checkpoint, device: str) -> TorchBackend:
    """The backend of a checkpoint; the last one stays at hand for the next case."""
    key = (checkpoint.digest, device)
    backend = _latest.get(key) or TorchBackend(checkpoint, device)
    _latest.clear()
    _latest[key] = backend
    return backend
