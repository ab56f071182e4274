"""Runs the network; if an attempt fails, other devices, backends and window sizes are tried."""

from __future__ import annotations

import gc
import math
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from smalltumor.data.probabilities.network_output import NetworkOutput
from smalltumor.errors import SmalltumorError
from smalltumor.inference.available_memory import GIGABYTE, available_memory
from smalltumor.inference.backends.base import Array, InferenceBackend
from smalltumor.inference.devices import DeviceChoice, has_openvino
from smalltumor.inference.memory_errors import is_out_of_memory
from smalltumor.inference.sliding_window import SlidingWindow
from smalltumor.inference.test_time_augmentation import average_over_mirrored
from smalltumor.progress import ProgressReporter

if TYPE_CHECKING:
    from smalltumor.models.checkpoint import Checkpoint

BackendName = Literal["auto", "torch", "openvino"]
WindowSize = Literal["auto"] | int | None

WINDOW_SIZES = (128, 96, 64)
"""Window edges, in voxels, that are tried in order if the whole volume does not fit in memory."""

RESERVED_BYTES = 200 * 10**6
"""Bytes of main memory that a run leaves free."""

WINDOW_BYTES_PER_VOXEL = 40
"""Memory of sliding-window inference per voxel of the whole volume: the input, the weighted sum of
predictions and the sum of weights."""


@dataclass(frozen=True)
class RunSettings:
    """The caller's settings; see `smalltumor.inference.segment`."""

    device: DeviceChoice
    backend: BackendName = "auto"
    windows: WindowSize = "auto"
    flips: bool = False


@dataclass(frozen=True)
class Attempt:
    """A backend, device and window size to run the network with.

    Parameters
    ----------
    backend : {"torch", "openvino"}
    device : str
    window : int or None
        Edge of the sliding window in voxels; None for the whole volume in one pass.
    """

    backend: str
    device: str
    window: int | None

    def __str__(self) -> str:
        extent = f"windows of {self.window} voxels" if self.window else "the whole volume"
        return f"{extent} with {self.backend} on {self.device}"

    @property
    def target(self) -> tuple[str, str]:
        """Backend and device."""
        return self.backend, self.device

    @property
    def can_fail(self) -> bool:
        """Whether it can fail in cases where PyTorch on the CPU succeeds."""
        return self.target != ("torch", "cpu")

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether main memory suffices for an array (channel, l, p, s); always true on GPUs."""
        if self.device != "cpu":
            return True
        edges = shape[1:] if self.window is None else [min(self.window, n) for n in shape[1:]]
        if self.backend == "openvino":
            from smalltumor.inference.backends.openvino_backend import BYTES_PER_VOXEL
        else:
            from smalltumor.inference.backends.torch_backend import BYTES_PER_VOXEL
        needed = math.prod(edges) * BYTES_PER_VOXEL + RESERVED_BYTES
        if self.window is not None:
            needed += math.prod(shape[1:]) * WINDOW_BYTES_PER_VOXEL
        return needed <= available_memory()


@dataclass(frozen=True)
class NetworkResult:
    """The network's output, the successful attempt, the device's full name, and warnings."""

    output: NetworkOutput
    attempt: Attempt
    device: str
    warnings: tuple[str, ...]


def planned_attempts(settings: RunSettings) -> Iterator[Attempt]:
    """The attempts in the order in which they are tried; the last one is PyTorch on the CPU."""
    sizes = (None, *WINDOW_SIZES) if settings.windows == "auto" else (settings.windows,)
    device = settings.device.device
    if device != "cpu":
        yield from (Attempt("torch", device, size) for size in sizes[:2])
    elif settings.backend == "openvino" or (settings.backend == "auto" and has_openvino()):
        yield Attempt("openvino", "cpu", sizes[0])
    yield from (Attempt("torch", "cpu", size) for size in sizes)


def run_network(
    checkpoint: Checkpoint, array: Array, settings: RunSettings, progress: ProgressReporter
) -> NetworkResult:
    """Run the network; try each attempt in turn until one succeeds.

    Parameters
    ----------
    checkpoint : Checkpoint
    array : (channel, l, p, s) float32 array
    settings : RunSettings
    progress : ProgressReporter

    Raises
    ------
    SmalltumorError
        If the smallest windows on the CPU do not fit in memory.
    Cancelled
    """
    warnings = [settings.device.warning] if settings.device.warning else []
    attempts = deque(planned_attempts(settings))
    while True:
        attempt = attempts.popleft()
        if attempts and not attempt.fits(array.shape):
            continue
        try:
            output, device = _run_attempt(attempt, checkpoint, array, settings.flips, progress)
        except SmalltumorError:
            raise
        except Exception as error:
            out_of_memory = is_out_of_memory(error)
            if not attempts and out_of_memory:
                raise SmalltumorError(_out_of_memory_message(attempt)) from error
            if not attempts or not (out_of_memory or attempt.can_fail):
                raise
            if not out_of_memory:
                attempts = deque(a for a in attempts if a.target != attempt.target)
            warnings.append(_failure_warning(attempt, error, out_of_memory=out_of_memory))
        else:
            if attempt.window is not None and settings.windows == "auto":
                warnings.append(
                    "memory was too short for the whole volume in one pass; "
                    f"windows of {attempt.window} voxels were used"
                )
            return NetworkResult(output, attempt, device, tuple(warnings))
        gc.collect()  # free the memory of the failed attempt
        _empty_gpu_cache(attempt.device)


def _run_attempt(
    attempt: Attempt, checkpoint: Checkpoint, array: Array, flips: bool, progress: ProgressReporter
) -> tuple[NetworkOutput, str]:
    """The output and the full name of the device."""
    with _borrow_backend(attempt, checkpoint) as backend:
        run: InferenceBackend = backend
        if attempt.window is not None:
            run = SlidingWindow(backend, attempt.window)
        output = average_over_mirrored(run, array, progress) if flips else run(array, progress)
        return output, backend.device


def _borrow_backend(
    attempt: Attempt, checkpoint: Checkpoint
) -> AbstractContextManager[InferenceBackend]:
    if attempt.backend == "openvino":
        from smalltumor.inference.backends.openvino_backend import openvino_backend

        return openvino_backend(checkpoint)
    from smalltumor.inference.backends.torch_backend import torch_backend

    return torch_backend(checkpoint, attempt.device)


def _failure_warning(attempt: Attempt, error: Exception, *, out_of_memory: bool) -> str:
    if out_of_memory:
        return f"{attempt} ran out of memory; a run that needs less memory was tried instead"
    reason = " ".join(str(error).split())[:160] or type(error).__name__
    return f"{attempt} failed ({reason}); a slower run was tried instead"


def _out_of_memory_message(attempt: Attempt) -> str:
    gigabytes = available_memory() / GIGABYTE
    return (
        f"not enough memory: {gigabytes:.1f} GB are free, too little for {attempt}; "
        "close other programs"
    )


def _empty_gpu_cache(device: str) -> None:
    """Free the GPU memory that torch caches."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
