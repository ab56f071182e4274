"""What to try, in which order, until a case is through."""

from __future__ import annotations

import contextlib
import gc
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from smalltumor.data.network_output import NetworkOutput
from smalltumor.errors import SmalltumorError
from smalltumor.inference.augmentation import average_over_mirrored
from smalltumor.inference.available_memory import GIGABYTE, available_memory
from smalltumor.inference.backends.base import Array, InferenceBackend, is_out_of_memory
from smalltumor.inference.devices import DeviceChoice, has_openvino
from smalltumor.inference.progress import ProgressReporter
from smalltumor.inference.sliding_window import SlidingWindow

if TYPE_CHECKING:
    from smalltumor.models.checkpoint import Checkpoint

BackendName = Literal["auto", "torch", "openvino"]
WindowSize = Literal["auto"] | int | None

WINDOW_SIZES = (128, 96, 64)
"""Edges of the windows tried where the whole volume does not fit, in voxels."""

SPARE = 200 * 10**6
"""Bytes of memory that are left for everything else."""


@dataclass(frozen=True)
class Attempt:
    """One way to run the network.

    Parameters
    ----------
    backend : {"torch", "openvino"}
    device : str
    window : int or None
        Edge of the windows in voxels; None for the whole volume in one pass.
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
    def may_break(self) -> bool:
        """Whether it can fail where torch on the CPU would not."""
        return self.target != ("torch", "cpu")

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether main memory has room for it; what a GPU has room for it says itself."""
        if self.device != "cpu":
            return True
        edges = shape[1:] if self.window is None else [min(self.window, n) for n in shape[1:]]
        if self.backend == "openvino":
            from smalltumor.inference.backends.openvino_backend import BYTES_PER_VOXEL
        else:
            from smalltumor.inference.backends.torch_backend import BYTES_PER_VOXEL
        needed = math.prod(edges) * BYTES_PER_VOXEL + SPARE
        if self.window is not None:
            needed += math.prod(shape[1:]) * 40  # input, and the blended sum with its weights
        return needed <= available_memory()


@dataclass(frozen=True)
class NetworkResult:
    """The network's output, how it was computed, and warnings."""

    output: NetworkOutput
    attempt: Attempt
    device: str
    warnings: tuple[str, ...]


def plan(choice: DeviceChoice, backend: BackendName, windows: WindowSize) -> Iterator[Attempt]:
    """All attempts for a device and backend, best first; the CPU's torch always comes last."""
    sizes = (None, *WINDOW_SIZES) if windows == "auto" else (windows,)
    if choice.device != "cpu":
        yield from (Attempt("torch", choice.device, size) for size in sizes[:2])
    elif backend == "openvino" or (backend == "auto" and has_openvino()):
        yield Attempt("openvino", "cpu", sizes[0])
    yield from (Attempt("torch", "cpu", size) for size in sizes)


def run_network(
    checkpoint: Checkpoint,
    array: Array,
    choice: DeviceChoice,
    backend: BackendName,
    windows: WindowSize,
    flips: bool,
    progress: ProgressReporter,
) -> NetworkResult:
    """Run the network the best way that works.

    Parameters
    ----------
    checkpoint : Checkpoint
    array : (channel, l, p, s) float32 array
    choice : DeviceChoice
    backend : {"auto", "torch", "openvino"}
    windows : "auto", int or None
    flips : bool
    progress : ProgressReporter

    Raises
    ------
    SmalltumorError
        If even the smallest windows on the CPU do not fit in memory.
    Cancelled
    """
    warnings = [choice.warning] if choice.warning else []
    attempts = deque(plan(choice, backend, windows))
    while True:
        attempt = attempts.popleft()
        if attempts and not attempt.fits(array.shape):
            continue
        try:
            network = _load_backend(checkpoint, attempt)
            output = _predict(network, array, attempt.window, flips, progress)
        except SmalltumorError:
            raise
        except Exception as error:
            short = is_out_of_memory(error)
            if not attempts and short:
                raise SmalltumorError(_no_memory(attempt)) from error
            if not attempts or not (short or attempt.may_break):
                raise
            if not short:
                attempts = deque(a for a in attempts if a.target != attempt.target)
            warnings.append(_account(attempt, error, short))
        else:
            if attempt.window is not None and windows == "auto":
                warnings.append(
                    "memory was too short for the whole volume in one pass; "
                    f"windows of {attempt.window} voxels were used"
                )
            return NetworkResult(output, attempt, network.device, tuple(warnings))
        gc.collect()  # what a failed attempt held is wanted by the next
        _empty(attempt.device)


def load_ahead(
    checkpoint: Checkpoint,
    shape: tuple[int, ...],
    choice: DeviceChoice,
    backend: BackendName,
    windows: WindowSize,
) -> None:
    """Begin to load what the first attempt will run, where that can go on beside other work.

    Parameters
    ----------
    shape : tuple of int
        Of the array (channel, l, p, s) that is being made.
    checkpoint, choice, backend, windows
        As for `run_network`, which tells what fails.
    """
    first = next(plan(choice, backend, windows))
    if first.backend == "openvino" and first.window is None and first.fits(shape):
        with contextlib.suppress(Exception):
            from smalltumor.inference.backends.openvino_backend import openvino_backend

            openvino_backend(checkpoint).load_ahead(shape)


def _load_backend(checkpoint: Checkpoint, attempt: Attempt) -> InferenceBackend:
    if attempt.backend == "openvino":
        from smalltumor.inference.backends.openvino_backend import openvino_backend

        return openvino_backend(checkpoint)
    from smalltumor.inference.backends.torch_backend import torch_backend

    return torch_backend(checkpoint, attempt.device)


def _predict(
    backend: InferenceBackend,
    array: Array,
    window: int | None,
    flips: bool,
    progress: ProgressReporter,
) -> NetworkOutput:
    whole = backend if window is None else SlidingWindow(backend, window)
    return average_over_mirrored(whole, array, progress) if flips else whole(array, progress)


def _account(attempt: Attempt, error: Exception, short: bool) -> str:
    if short:
        return f"{attempt} ran out of memory; something smaller was done instead"
    reason = " ".join(str(error).split())[:160] or type(error).__name__
    return f"{attempt} failed ({reason}); something slower was done instead"


def _no_memory(attempt: Attempt) -> str:
    gigabytes = available_memory() / GIGABYTE
    return (
        f"not enough memory: {gigabytes:.1f} GB are free, too little for {attempt}; "
        "close other programs"
    )


def _empty(device: str) -> None:
    """Give back what torch keeps of a GPU's memory for later."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
