"""Inference with OpenVINO on the CPU."""

from __future__ import annotations

import contextlib
import math
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import numpy as np

from smalltumor.data.probabilities.network_output import HalfResolutionLogits
from smalltumor.geometry.array_order import reverse_axes
from smalltumor.inference.backends.base import BFLOAT16_MIN_EDGE, Array, is_plausible
from smalltumor.inference.backends.openvino_import import import_openvino
from smalltumor.inference.backends.openvino_network import NetworkLoader, Precision
from smalltumor.inference.devices import cpu_has_bfloat16
from smalltumor.inference.pool import Pool
from smalltumor.progress import ProgressReporter

if TYPE_CHECKING:
    import openvino as ov  # noqa: TID251

    from smalltumor.models.checkpoint import Checkpoint

BYTES_PER_VOXEL = 220
"""Peak memory of a pass over the whole volume in float32, input and output included: the maximum of
the values that `tests/benchmarks/inference/memory.py` measured, from 197."""

_POLL_MILLISECONDS = 20
_SECONDS_PER_VOXEL = 4e-7
"""Time of a voxel, for progress, until a run has measured it."""


class OpenVinoBackend:
    """A checkpoint's network compiled by OpenVINO.

    Parameters
    ----------
    checkpoint : Checkpoint
    precision : {"f32", "bf16"}, optional
        By default bfloat16 if the processor has instructions for it.
    threads : int, optional
        Number of threads; chosen by OpenVINO by default.
    """

    backend = "openvino"
    device = "cpu"

    def __init__(
        self,
        checkpoint: Checkpoint,
        precision: Precision | None = None,
        threads: int | None = None,
    ) -> None:
        self._checkpoint, self._threads = checkpoint, threads
        self._precision: Precision = precision or ("bf16" if cpu_has_bfloat16() else "f32")
        self._loaders: dict[Precision, NetworkLoader] = {}
        self._compiled: tuple[Precision, tuple[int, ...], ov.CompiledModel] | None = None
        self._seconds_per_voxel = _SECONDS_PER_VOXEL

    def __call__(self, array: Array, progress: ProgressReporter) -> HalfResolutionLogits:
        """See `InferenceBackend`."""
        reversed_array = np.ascontiguousarray(reverse_axes(array))
        logits = self._run(reversed_array, self._precision_for(array.shape), progress)
        if self._precision != "f32" and not is_plausible(logits):
            self._precision = "f32"
            logits = self._run(reversed_array, "f32", progress)
        return HalfResolutionLogits(reverse_axes(logits))

    def release_memory(self) -> None:
        """Release the memory of the last run, but not the compiled network."""
        if self._compiled is not None:
            self._compiled[2].release_memory()

    def _precision_for(self, shape: tuple[int, ...]) -> Precision:
        return "f32" if min(shape[1:]) < BFLOAT16_MIN_EDGE else self._precision

    def _run(self, array: Array, precision: Precision, progress: ProgressReporter) -> Array:
        """The logits (class, s / 2, p / 2, l / 2) of an array (channel, s, p, l)."""
        ov = import_openvino()
        shape = reverse_axes(array).shape
        with progress.subrange(0.0, 0.1):
            compiled = self._compiled_for(shape, precision, progress)
        halved = [n // 2 for n in array.shape[1:]]
        result = np.empty((self._checkpoint.config.classes, *halved), dtype=np.float32)
        request = compiled.create_infer_request()
        request.set_input_tensor(ov.Tensor(array[None], shared_memory=True))
        request.set_output_tensor(ov.Tensor(result[None], shared_memory=True))
        with progress.subrange(0.1, 1.0):
            self._wait(request, math.prod(array.shape[1:]), progress)
        return result

    def _compiled_for(
        self, shape: tuple[int, ...], precision: Precision, progress: ProgressReporter
    ) -> ov.CompiledModel:
        if self._compiled is None or self._compiled[:2] != (precision, shape):
            self._compiled = None  # free its memory before another is loaded
            compiled = self._loader(precision).load(shape, progress)
            self._compiled = precision, shape, compiled
        return self._compiled[2]

    def _loader(self, precision: Precision) -> NetworkLoader:
        if precision not in self._loaders:
            self._loaders[precision] = NetworkLoader(self._checkpoint, precision, self._threads)
        return self._loaders[precision]

    def _wait(self, request: ov.InferRequest, voxels: int, progress: ProgressReporter) -> None:
        """Wait for the result; progress is estimated from the time of the last run."""
        start = time.perf_counter()
        request.start_async()
        try:
            while not request.wait_for(_POLL_MILLISECONDS):
                elapsed = (time.perf_counter() - start) / (self._seconds_per_voxel * voxels)
                progress.update(1 - math.exp(-2 * elapsed), "segmenting")
        except BaseException:
            request.cancel()
            with contextlib.suppress(RuntimeError):  # raised because of the cancellation
                request.wait()
            raise
        request.wait()
        self._seconds_per_voxel = (time.perf_counter() - start) / voxels


_backends: Pool[OpenVinoBackend] = Pool()


def openvino_backend(checkpoint: Checkpoint) -> AbstractContextManager[OpenVinoBackend]:
    """Borrow a backend for one run; the pool caches the last one for the next run."""
    return _backends.borrow(checkpoint.digest, lambda: OpenVinoBackend(checkpoint))
