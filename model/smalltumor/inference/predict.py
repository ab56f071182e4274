"""From a case to its segmentation."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from smalltumor.data.preprocessing import prepare
from smalltumor.data.probabilities import CroppedProbabilities
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.errors import CheckpointError, SmalltumorError
from smalltumor.geometry.array_order import Array, Shape
from smalltumor.inference.buffers import borrow_buffer
from smalltumor.inference.devices import DeviceChoice, choose_device
from smalltumor.inference.fallback import (
    BackendName,
    NetworkResult,
    WindowSize,
    load_ahead,
    run_network,
)
from smalltumor.inference.progress import CancelCallback, ProgressCallback, ProgressReporter

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.models.checkpoint import Checkpoint

Settings = tuple[DeviceChoice, BackendName, WindowSize]


def segment(
    case: Case,
    checkpoint: Checkpoint | None = None,
    *,
    device: str = "auto",
    backend: BackendName = "auto",
    flips: bool = False,
    windows: WindowSize = "auto",
    progress: ProgressCallback | None = None,
    cancelled: CancelCallback | None = None,
) -> Segmentation:
    """Segment a case; the same case and settings give the same result.

    A GPU that runs out of memory, or a backend that fails, costs time and leaves a warning in
    ``Segmentation.run``, not the case.

    Parameters
    ----------
    case : Case
    checkpoint : Checkpoint, optional
        The weights that came with the package if not given.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    backend : {"auto", "torch", "openvino"}
        ``auto`` takes OpenVINO on a CPU where it is installed.
    flips : bool
        Average over the eight mirrored heads.
    windows : "auto", int or None
        Edge in voxels (a multiple of 32) of the overlapping windows the volume is cut into; None
        for one pass over all of it; ``auto`` cuts only where memory is too short.
    progress : callable, optional
        Called with the fraction done, from 0 to 1, and the name of the current step.
    cancelled : callable, optional
        Called between steps; when it returns true, `Cancelled` is raised.

    Returns
    -------
    Segmentation
        On the case's own grid.

    Raises
    ------
    CaseError
        If a modality is missing, empty or not finite.
    CheckpointError
        If the weights cannot be read, or the network answers with other than numbers.
    SmalltumorError
        If device, backend or windows are not known, or memory is too short for any window.
    Cancelled
    """
    _check(backend, windows)
    began = time.perf_counter()
    reporter = ProgressReporter(progress, cancelled)
    reporter.update(0.0, "preparing")
    if checkpoint is None:
        from smalltumor.models.checkpoint import load_checkpoint

        checkpoint = load_checkpoint()
    settings = choose_device(device), backend, windows
    cropped, result = _on_crop(case, checkpoint, settings, flips, reporter)
    if not result.output.are_finite():  # or a broken network found no tumour
        where = checkpoint.path or checkpoint.name
        raise CheckpointError(f"{where}: these weights give no numbers for {case.name}")
    reporter.update(0.95, "back to the case's grid")
    segmentation = Segmentation.from_probabilities(case, cropped)
    reporter.update(1.0, "done")
    seconds = time.perf_counter() - began
    run = InferenceRun(
        seconds, result.device, result.attempt.backend, checkpoint.name, result.warnings
    )
    return replace(segmentation, run=run)


def _on_crop(
    case: Case, checkpoint: Checkpoint, settings: Settings, flips: bool, progress: ProgressReporter
) -> tuple[CroppedProbabilities, NetworkResult]:
    """What the network says of the brain's crop; none of it lies in the memory that is lent."""
    with borrow_buffer() as room:

        def array(shape: Shape) -> Array:
            load_ahead(checkpoint, shape, *settings)
            return room.array(shape)

        ready = prepare(case, checkpoint.preprocessing, array)
        with progress.subrange(0.05, 0.95):
            result = run_network(checkpoint, ready.array, *settings, flips, progress)
    i, j, k = (span.stop for span in ready.inside)
    output = result.output.cut((i, j, k))
    return CroppedProbabilities(output, ready.start, ready.network_grid), result


def _check(backend: str, windows: object) -> None:
    if backend not in get_args(BackendName):
        raise SmalltumorError(
            f"backend {backend!r} is not known; use {', '.join(get_args(BackendName))}"
        )
    if isinstance(windows, int) and (windows < 32 or windows % 32):
        raise SmalltumorError(f"windows of {windows} voxels: use a multiple of 32, such as 128")
