"""Loading the network into OpenVINO: from the cache on disk, or converted and compiled."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from smalltumor.errors import OutputError
from smalltumor.inference.backends.openvino_cache import NetworkFolder
from smalltumor.inference.backends.openvino_import import import_openvino
from smalltumor.progress import ProgressReporter

if TYPE_CHECKING:
    import openvino as ov  # noqa: TID251

    from smalltumor.models.checkpoint import Checkpoint

Precision = Literal["f32", "bf16"]
Shape = tuple[int, ...]

PREPARING = "preparing the network (first time only)"
"""The step of converting; the next run has the result in its cache."""
COMPILING = "compiling the network for this size of image"
"""The step of compiling; the next run of the same size has the result in its cache."""

_core_lock, _conversion_lock = threading.Lock(), threading.Lock()
_core: ov.Core | None = None


def shared_core() -> ov.Core:
    """The only Core of the process; it is never destroyed.

    The CPU plugin of a Core sets a signal stack (``sigaltstack``) for the thread that loads it. If
    several Cores are destroyed, or one is destroyed in another thread, a thread is left with a
    freed signal stack, and the next signal (Ctrl-C) crashes the process.
    """
    global _core
    with _core_lock:
        if _core is None:
            _core = import_openvino().Core()
        return _core


class NetworkLoader:
    """Loads a checkpoint's network, compiled for arrays of one shape.

    The network is converted from the torch module once. The converted network and each compiled
    shape are cached on disk, see `NetworkFolder`; if writing fails, the next run converts it again.

    Parameters
    ----------
    checkpoint : Checkpoint
    precision : {"f32", "bf16"}
    threads : int, optional
        Number of threads; chosen by OpenVINO by default.
    """

    def __init__(
        self, checkpoint: Checkpoint, precision: Precision, threads: int | None = None
    ) -> None:
        self._checkpoint, self._precision = checkpoint, precision
        self._core = shared_core()
        self._folder = NetworkFolder(checkpoint.digest, import_openvino().get_version(), precision)
        self._settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
        }
        if threads is not None:
            self._settings["INFERENCE_NUM_THREADS"] = threads

    def load(self, shape: Shape, progress: ProgressReporter) -> ov.CompiledModel:
        """Load the compiled network from the cache; if it is absent, compile it and cache it.

        Parameters
        ----------
        shape : tuple of int
            Shape of the arrays (channel, l, p, s).
        progress : ProgressReporter
        """
        progress.update(0.0, "loading the network")
        compiled = self.load_from_disk(shape)
        if compiled is not None:
            return compiled
        model = self._graph(progress)
        progress.update(0.6, COMPILING)
        channels, i, j, k = shape
        model.reshape([1, channels, k, j, i])
        compiled = self._core.compile_model(model, "CPU", self._settings)
        path = self._folder.compiled(shape[1:])
        _try_to_write(lambda: self._folder.write_compiled(path, _exported(compiled)))
        return compiled

    def load_from_disk(self, shape: Shape) -> ov.CompiledModel | None:
        """Load the compiled network for arrays of a shape; None if it is not in the cache."""
        path = self._folder.compiled(shape[1:])
        if not (path.is_file() and self._folder.graph.is_file()):
            return None
        try:
            return self._core.import_model(io.BytesIO(path.read_bytes()), "CPU", self._settings)
        except (RuntimeError, OSError):
            path.unlink(missing_ok=True)
            return None

    def _graph(self, progress: ProgressReporter) -> ov.Model:
        """The graph with dynamic spatial axes, from the cache or converted from torch."""
        ov = import_openvino()
        with _conversion_lock:  # torch.jit.trace must not run in two threads at once
            if self._folder.graph.is_file():
                try:
                    return self._core.read_model(self._folder.graph, self._folder.weights)
                except (RuntimeError, OSError):
                    self._folder.discard()
            model = convert(self._checkpoint, self._precision, progress)
            _try_to_write(lambda: self._folder.write_graph(partial(ov.serialize, model)))
        return model


def convert(checkpoint: Checkpoint, precision: Precision, progress: ProgressReporter) -> ov.Model:
    """Convert the torch module to an OpenVINO graph with dynamic spatial axes.

    The input has reversed axes, (channel, s, p, l), each a multiple of 16; see
    `reverse_network_axes`. Weights are stored as float32, rounded beforehand for bfloat16.
    OpenVINO's front end is called directly: ``openvino.convert_model`` would report the conversion.
    """
    progress.update(0.1, PREPARING)
    import torch

    ov = import_openvino()
    from openvino.frontend import FrontEndManager  # noqa: TID251
    from openvino.frontend.pytorch.ts_decoder import (  # noqa: TID251
        TorchScriptPythonDecoder,
    )

    from smalltumor.inference.fused.network import network_for_inference, reverse_network_axes

    progress.update(0.2, PREPARING)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    network = network_for_inference(reverse_network_axes(checkpoint.network), dtype).float()
    example = torch.zeros(1, checkpoint.config.in_channels, 32, 32, 32)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing unrolls loops, whose lengths are fixed here
        traced = torch.jit.trace(network, example, check_trace=False)  # type: ignore
    progress.update(0.4, PREPARING)
    front_end = FrontEndManager().load_by_framework("pytorch")
    decoder = TorchScriptPythonDecoder(traced)  # must stay alive during the conversion
    model = front_end.convert(front_end.load(decoder))
    model.reshape(ov.PartialShape([1, checkpoint.config.in_channels, -1, -1, -1]))
    return model


def _exported(compiled: ov.CompiledModel) -> bytes:
    exported = compiled.export_model()
    return bytes(exported if isinstance(exported, bytes) else exported.getvalue())


def _try_to_write(write: Callable[[], None]) -> None:
    # If the disk is full or read-only, the next start is slower, but this case does not fail.
    with contextlib.suppress(OSError, OutputError, RuntimeError):
        write()
