"""The network run by OpenVINO, on the CPU."""

from __future__ import annotations

import contextlib
import io
import math
import threading
import time
import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from smalltumor.data.network_output import HalfResolutionLogits
from smalltumor.errors import Cancelled, OutputError
from smalltumor.geometry.array_order import reverse_axes
from smalltumor.inference.backends.base import Array
from smalltumor.inference.backends.openvino_cache import NetworkFolder
from smalltumor.inference.devices import cpu_has_bfloat16
from smalltumor.inference.idle_timer import IdleTimer
from smalltumor.inference.progress import ProgressReporter

if TYPE_CHECKING:
    import openvino as ov

    from smalltumor.models.checkpoint import Checkpoint

BYTES_PER_VOXEL = 220
"""Peak of a whole pass in float32, input and result included: the most that
`tests/benchmarks/memory.py` has said, from 197 on."""

_POLL_MILLISECONDS = 20
_SECONDS_PER_VOXEL = 4e-7


class OpenVinoBackend:
    """A checkpoint's network compiled by OpenVINO.

    The network is converted from the torch module once and kept on disk, as is each shape it was
    compiled for; see `NetworkFolder`. What cannot be kept is made again the next time.

    Parameters
    ----------
    checkpoint : Checkpoint
    precision : {"f32", "bf16"}, optional
        By default bfloat16 where the processor computes in it.
    threads : int, optional
        By default OpenVINO decides.
    """

    backend = "openvino"
    device = "cpu"

    def __init__(
        self, checkpoint: Checkpoint, precision: str | None = None, threads: int | None = None
    ) -> None:
        import openvino as ov

        self._checkpoint = checkpoint
        self._core = _core()
        self._precision = precision or ("bf16" if cpu_has_bfloat16() else "f32")
        self._folder = NetworkFolder(checkpoint.digest, ov.get_version(), self._precision)
        self._settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": self._precision,
            "PERFORMANCE_HINT": "LATENCY",
        }
        if threads is not None:
            self._settings["INFERENCE_NUM_THREADS"] = threads
        self._compiled: tuple[tuple[int, ...], ov.CompiledModel] | None = None
        self._pace = _SECONDS_PER_VOXEL
        self._idle = IdleTimer()
        self._ahead: threading.Thread | None = None

    def __call__(self, array: Array, progress: ProgressReporter) -> HalfResolutionLogits:
        """See `InferenceBackend`."""
        import openvino as ov

        self._idle.cancel()
        with progress.subrange(0.0, 0.1):
            compiled = self._compiled_for(array.shape, progress)
        array = np.ascontiguousarray(reverse_axes(array))
        half = [n // 2 for n in array.shape[1:]]
        result = np.empty((self._checkpoint.config.classes, *half), dtype=np.float32)
        request = compiled.create_infer_request()
        request.set_input_tensor(ov.Tensor(array[None], shared_memory=True))
        request.set_output_tensor(ov.Tensor(result[None], shared_memory=True))
        with progress.subrange(0.1, 1.0):
            self._wait(request, math.prod(array.shape[1:]), progress)
        del request
        self._idle.start(compiled.release_memory)
        return HalfResolutionLogits(reverse_axes(result))

    def _wait(self, request: ov.InferRequest, voxels: int, progress: ProgressReporter) -> None:
        """OpenVINO does not tell how far it is: the bar follows the pace of the last run."""
        began = time.perf_counter()
        request.start_async()
        try:
            while not request.wait_for(_POLL_MILLISECONDS):
                share = (time.perf_counter() - began) / (self._pace * voxels)
                progress.update(1 - math.exp(-2 * share), "segmenting")
        except Cancelled:
            request.cancel()
            _settle(request)
            raise
        request.wait()
        self._pace = (time.perf_counter() - began) / voxels

    def load_ahead(self, shape: tuple[int, ...]) -> None:
        """Begin to load the compiled network for arrays of a shape, if it is on disk.

        It takes half a second of one processor, which the array's making leaves free.
        """

        def load() -> None:
            with contextlib.suppress(Exception):  # the run tries again, and tells
                compiled = self._from_disk(shape)
                self._compiled = None if compiled is None else (shape, compiled)

        if self._ahead is None and (self._compiled is None or self._compiled[0] != shape):
            self._compiled = None
            self._ahead = threading.Thread(target=load)
            self._ahead.start()

    def _compiled_for(self, shape: tuple[int, ...], progress: ProgressReporter) -> ov.CompiledModel:
        if self._ahead is not None:
            self._ahead.join()
            self._ahead = None
        if self._compiled is None or self._compiled[0] != shape:
            self._compiled = None
            self._compiled = shape, self._load(shape, progress)
        return self._compiled[1]

    def _load(self, shape: tuple[int, ...], progress: ProgressReporter) -> ov.CompiledModel:
        """The compiled network from disk, or else made, and kept there."""
        progress.update(0.0, "loading the network")
        compiled = self._from_disk(shape)
        if compiled is not None:
            return compiled
        model = self._graph(progress)
        progress.update(0.6, "compiling the network")
        channels, i, j, k = shape
        model.reshape([1, channels, k, j, i])
        compiled = self._core.compile_model(model, "CPU", self._settings)
        path = self._folder.compiled(shape[1:])
        _keep(lambda: self._folder.write_compiled(path, _content(compiled)))
        return compiled

    def _from_disk(self, shape: tuple[int, ...]) -> ov.CompiledModel | None:
        path = self._folder.compiled(shape[1:])
        if not (path.is_file() and self._folder.graph.is_file()):
            return None
        try:
            return self._core.import_model(io.BytesIO(path.read_bytes()), "CPU", self._settings)
        except (RuntimeError, OSError):
            path.unlink(missing_ok=True)
            return None

    def _graph(self, progress: ProgressReporter) -> ov.Model:
        """The network with open spatial axes, from disk or converted from torch."""
        import openvino as ov

        graph, weights = self._folder.graph, self._folder.weights
        if graph.is_file():
            try:
                return self._core.read_model(graph, weights)
            except (RuntimeError, OSError):
                self._folder.discard()
        model = convert(self._checkpoint, self._precision, progress)
        _keep(lambda: self._folder.write_graph(partial(ov.serialize, model)))
        return model


def convert(checkpoint: Checkpoint, precision: str, progress: ProgressReporter) -> ov.Model:
    """The network as OpenVINO's own graph, for any shape whose axes are multiples of 16.

    Its input is turned over, see `file_order`. Its numbers are float32, but for bfloat16 the
    weights are rounded already.

    It is the torch module that is converted. OpenVINO's front end is called itself, because
    ``openvino.convert_model`` reports its use over the internet.
    """
    progress.update(0.1, "loading PyTorch")
    import openvino as ov
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    from smalltumor.inference.fused.axis_order import reverse_network_axes
    from smalltumor.inference.fused.network import network_for_inference

    progress.update(0.2, "converting the network")
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    network = network_for_inference(reverse_network_axes(checkpoint.network), dtype).float()
    example = torch.zeros(1, checkpoint.config.in_channels, 32, 32, 32)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the trace's loops run over fixed numbers of branches
        traced = torch.jit.trace(network, example, check_trace=False)  # type: ignore
    progress.update(0.4, "converting the network")
    front_end = FrontEndManager().load_by_framework("pytorch")
    decoder = TorchScriptPythonDecoder(traced)  # a name, or it is gone before it is used
    model = front_end.convert(front_end.load(decoder))
    model.reshape(ov.PartialShape([1, checkpoint.config.in_channels, -1, -1, -1]))
    return model


def _content(compiled: ov.CompiledModel) -> bytes:
    exported = compiled.export_model()
    return bytes(exported if isinstance(exported, bytes) else exported.getvalue())


def _keep(write: Callable[[], None]) -> None:
    # A full or read-only disk costs time at the next start, not the case.
    with contextlib.suppress(OSError, OutputError, RuntimeError):
        write()


def _settle(request: ov.InferRequest) -> None:
    # A request that was cancelled says so by an exception, which is no news.
    with contextlib.suppress(RuntimeError):
        request.wait()


@cache
def _core() -> ov.Core:
    """One for the process, for good.

    A Core's CPU plugin gives the thread it is loaded in a stack for signal handlers. When several
    Cores go, or one goes in another thread, a thread is left with one that is no longer there, and
    the next signal, as of Ctrl-C, ends the process.
    """
    import openvino as ov

    return ov.Core()


_latest: dict[str, OpenVinoBackend] = {}


def openvino_backend(checkpoint: Checkpoint) -> OpenVinoBackend:
    """The backend of a checkpoint; the last one stays at hand for the next case."""
    backend = _latest.get(checkpoint.digest) or OpenVinoBackend(checkpoint)
    _latest.clear()
    _latest[checkpoint.digest] = backend
    return backend
