"""Start or resume a run: settle its configuration, its cases and its record, and train."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from smalltumor.errors import Action, Remedy, TrainingError
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.training.architecture import Architecture
from smalltumor.training.config import PRESETS, TrainingConfig, steps_per_epoch
from smalltumor.training.data.same_images import joined_digests, patients_by_images, t1ce_digests
from smalltumor.training.execution.execute import execute
from smalltumor.training.execution.locked_run import locked_run
from smalltumor.training.execution.run_cases import AvailableCases, check_unique_names
from smalltumor.training.execution.run_record import RunRecord, origin_of
from smalltumor.training.loop.memory import keep_freed_memory
from smalltumor.training.loop.stopping import StopListener
from smalltumor.training.optimisation.distributed import joined_processes
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.run_context import Log, RunContext, silent, warning_through
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.splits.split import Split
from smalltumor.training.splits.stratified_folds import stratified_folds

_SETTLED = {
    "folds": "the choice of validation cases is",
    "fold": "the choice of validation cases is",
    "validation_stride": "the choice of validation cases is",
    "starting_weights_share": "the share of the starting weights is",
}
"""Settings that a resume cannot change, and what they decide."""


def train(
    request: TrainingRequest,
    log: Log = print,
    *,
    architecture: Architecture | None = None,
    warn: Log | None = None,
    save_seconds: float = 60.0,
) -> bool:
    """Start or resume a run and train until it is done or asked to stop.

    Under ``torchrun`` every process calls this with the same request.

    Parameters
    ----------
    request : TrainingRequest
    log : callable
        Receives one line of text at a time, in process 0 only.
    architecture : Architecture, optional
        By default the multi-task network, to which weights to start from belong. ``config.json``
        does not record it: whoever resumes the run names it again.
    warn : callable, optional
        Receives each reason to doubt a case; by default `log` does.
    save_seconds : float
        Least time between two saved states.

    Returns
    -------
    bool
        False if it was stopped (by SIGINT, SIGTERM or a stop request) and can be resumed.

    Raises
    ------
    TrainingError, CaseError, CheckpointError, OutputError
    """
    run = RunFolder(request.run)
    earlier = _earlier_record(request, run)
    request = _with_earlier_settings(request, earlier)
    config, initial = _configuration(request, earlier, has_state=run.has(run.last))
    with joined_processes(request.device) as processes:
        context = RunContext.of(run, processes, log, warn or warning_through(log), save_seconds)
        if processes.device.type == "cpu":
            keep_freed_memory()
        available = AvailableCases.find(request)
        digests = t1ce_digests(available.all)
        available, split = _split(request, config, initial, digests, available, earlier, context)
        training_cases = len(available.named(split.training))
        record = _new_record(request, config, split, training_cases, digests, earlier, initial)
        with locked_run(run, processes, earlier):
            if processes.is_main:
                record.write(run)
            finished = execute(
                record,
                available,
                context,
                StopListener(run),
                initial=initial,
                architecture=architecture,
            )
    if not finished:
        context.log("stopped and saved")
    return finished


def _earlier_record(request: TrainingRequest, run: RunFolder) -> RunRecord | None:
    """The record of the run to be resumed, or None for a new run."""
    if not run.has(run.config):
        return None
    if not request.resume:
        raise TrainingError(f"{run.path} holds a run already", Remedy(Action.CHOOSE_RUN_FOLDER))
    return RunRecord.read(run)


def _with_earlier_settings(request: TrainingRequest, earlier: RunRecord | None) -> TrainingRequest:
    """The request, completed by the settings that the run was started with."""
    if earlier is None:
        return request
    before = earlier.request
    return replace(
        request,
        preset=before.preset,
        weights=before.weights,
        device=request.device if request.device != "auto" else before.device,
        validation_folder=request.validation_folder or before.validation_folder,
        validation_cases=request.validation_cases or before.validation_cases,
        patients=request.patients or before.patients,
        cache=request.cache or before.cache,
        card=request.card or before.card,
    )


def _configuration(
    request: TrainingRequest, earlier: RunRecord | None, *, has_state: bool
) -> tuple[TrainingConfig, Checkpoint | None]:
    """The configuration with the request's changes, and the checkpoint to start from.

    The checkpoint is not read if the run has a saved state.
    """
    initial = None
    if not (earlier and has_state) and (request.weights or request.preset == "finetune"):
        initial = load_checkpoint(request.weights)
    if earlier is not None:
        config = earlier.config
        if has_state:
            _check_settled(request, config)
    else:
        config = recipe_of(request)
        if initial is not None:
            config = replace(config, network=initial.config, preprocessing=initial.preprocessing)
    config = config.with_changes(request.changes)
    if config.starting_weights_share and initial is None and not has_state:
        raise TrainingError(
            f"starting_weights_share = {config.starting_weights_share}: a run from random weights "
            "has no weights to start from; name some, or leave the share out"
        )
    return config, initial


def recipe_of(request: TrainingRequest) -> TrainingConfig:
    """The preset of a request with its changes.

    Raises
    ------
    TrainingError
        If the preset or a setting is unknown, or a value is impossible.
    """
    if request.preset not in PRESETS:
        raise TrainingError(f"unknown preset {request.preset}; known are {', '.join(PRESETS)}")
    return PRESETS[request.preset].with_changes(request.changes)


def _check_settled(request: TrainingRequest, config: TrainingConfig) -> None:
    for name, what in _SETTLED.items():
        if request.changes.get(name, getattr(config, name)) != getattr(config, name):
            raise TrainingError(
                f"{name} = {request.changes[name]}: {what} fixed when a run starts (here with "
                f"{name} = {getattr(config, name)}); start a new run"
            )


def _split(
    request: TrainingRequest,
    config: TrainingConfig,
    initial: Checkpoint | None,
    digests: Mapping[str, str],
    available: AvailableCases,
    earlier: RunRecord | None,
    context: RunContext,
) -> tuple[AvailableCases, Split]:
    """The cases, and their split, which is kept once the run has a saved state."""
    before = earlier if context.run.has(context.run.last) else None
    warnings: list[str] = []

    def warn(message: str) -> None:
        context.warn(message)
        warnings.append(message)

    # A split that exists is kept; a new case that is a copy is named as left out.
    said = warn if before is None else silent
    patients = patients_by_images(digests, request.patients, said)
    if before is None and config.folds:
        check_unique_names(available.cases)
        folds = stratified_folds(
            available.cases, config, initial, digests, patients, context.log, warn
        )
        available = available.with_validation(folds.validation_cases[config.fold])
    return replace(available, warnings=tuple(warnings)), available.split(config, patients, before)


def _new_record(
    request: TrainingRequest,
    config: TrainingConfig,
    split: Split,
    training_cases: int,
    digests: Mapping[str, str],
    earlier: RunRecord | None,
    initial: Checkpoint | None,
) -> RunRecord:
    """The run's record; a resumed run keeps its origin and its number of steps per epoch."""
    return RunRecord(
        request=request,
        config=config,
        split=split,
        origin=earlier.origin if earlier else origin_of(initial, request.weights, digests),
        steps_per_epoch=(
            earlier.steps_per_epoch if earlier else steps_per_epoch(config, training_cases)
        ),
        digests=joined_digests(earlier.digests if earlier else {}, digests),
    )
