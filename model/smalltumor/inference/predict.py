"""Segmentation of a case."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from smalltumor.data.input_checks import Finding, FindingKind, check_input
from smalltumor.data.preprocessing import preprocess
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.errors import CheckpointError, SmalltumorError
from smalltumor.inference.devices import choose_device
from smalltumor.inference.fallback import (
    BackendName,
    NetworkResult,
    RunSettings,
    WindowSize,
    run_network,
)
from smalltumor.models.card import (
    dice_without,
    is_trained_with_modality_dropout,
    was_trained_on,
)
from smalltumor.progress import CancelCallback, ProgressCallback, ProgressReporter

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.models.checkpoint import Checkpoint


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

    If a GPU runs out of memory or a backend fails, another window size, device or backend is tried,
    and ``Segmentation.run`` has a warning. It has findings if the images are unlike those that the
    network was trained on. With weights that were trained with modality dropout, the case may lack
    T1, T2 or FLAIR, which is a finding as well.

    Parameters
    ----------
    case : Case
    checkpoint : Checkpoint, optional
        By default the shipped weights.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    backend : {"auto", "torch", "openvino"}
        ``auto`` uses OpenVINO on a CPU if it is installed.
    flips : bool
        Test-time augmentation: average over the eight mirrored volumes.
    windows : "auto", int or None
        Edge, in voxels (a multiple of 32), of the overlapping windows that the volume is divided
        into; None for the whole volume in one pass; ``auto`` uses windows only if memory is short.
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
        If a modality that the weights need is missing, a modality is empty or not finite, or one
        image is in two roles.
    CheckpointError
        If the weights cannot be read, or the network's output is not finite.
    SmalltumorError
        If device, backend or windows are unknown, or memory does not suffice for any window.
    Cancelled
    """
    _check_settings(backend, windows)
    start = time.perf_counter()
    reporter = ProgressReporter(progress, cancelled)
    reporter.update(0.0, "preparing")
    if checkpoint is None:
        from smalltumor.models.checkpoint import load_checkpoint

        checkpoint = load_checkpoint()
    settings = RunSettings(choose_device(device), backend, windows, flips)
    cropped, result, findings = _predict(case, checkpoint, settings, reporter)
    reporter.update(0.95, "resampling to the case's grid")
    segmentation = Segmentation.from_probabilities(case, cropped)
    reporter.update(1.0, "done")
    run = InferenceRun(
        seconds=time.perf_counter() - start,
        device=result.device,
        backend=result.attempt.backend,
        weights=checkpoint.name,
        warnings=result.warnings,
        findings=findings,
        modalities=tuple(m for m in checkpoint.preprocessing.channels if m in case.volumes),
        digest=checkpoint.digest,
        seen_in_training=was_trained_on(checkpoint.card, case.name, segmentation.made_of),
    )
    return replace(segmentation, run=run)


def _check_settings(backend: str, windows: object) -> None:
    if backend not in get_args(BackendName):
        raise SmalltumorError(
            f"backend {backend!r} is unknown; use {', '.join(get_args(BackendName))}"
        )
    if isinstance(windows, int) and (windows < 32 or windows % 32):
        raise SmalltumorError(f"windows of {windows} voxels: use a multiple of 32, such as 128")


def _predict(
    case: Case, checkpoint: Checkpoint, settings: RunSettings, reporter: ProgressReporter
) -> tuple[CroppedProbabilities, NetworkResult, tuple[Finding, ...]]:
    """The network's output for the crop of the brain, and what is unusual about the images."""
    allow_missing = is_trained_with_modality_dropout(checkpoint.card)
    prepared = preprocess(case, checkpoint.preprocessing, allow_missing=allow_missing)
    findings = _findings(case, checkpoint)
    with reporter.subrange(0.05, 0.95):
        result = run_network(checkpoint, prepared.array, settings, reporter)
    _check_finite(result, checkpoint, case)
    cropped = CroppedProbabilities(result.output, prepared.start, prepared.network_grid)
    return cropped, result, findings


def _findings(case: Case, checkpoint: Checkpoint) -> tuple[Finding, ...]:
    """Ways in which the images are unlike those of training; of a missing one, the Dice without."""
    return tuple(
        replace(finding, dice=dice_without(checkpoint.card, finding.modalities))
        if finding.kind is FindingKind.MISSING
        else finding
        for finding in check_input(case, expected=checkpoint.preprocessing.channels)
    )


def _check_finite(result: NetworkResult, checkpoint: Checkpoint, case: Case) -> None:
    """Refuse NaN, which would become a mask without a tumour."""
    if not result.output.are_finite():
        where = checkpoint.path or checkpoint.name
        raise CheckpointError(f"{where}: the output of these weights for {case.name} is not finite")
