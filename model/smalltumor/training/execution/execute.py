"""Train a run whose configuration and cases are settled: prepare the cases, report, train."""

from __future__ import annotations

from smalltumor.models.card import ancestors
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.text import pluralize
from smalltumor.training.architecture import Architecture
from smalltumor.training.data.training_case import TrainingCases
from smalltumor.training.execution.run_cases import AvailableCases, prepare_run_cases
from smalltumor.training.execution.run_record import RunRecord, model_card
from smalltumor.training.loop.stopping import StepAborted, StopListener, stop_on_signals
from smalltumor.training.loop.trainer import Trainer
from smalltumor.training.network_masks import NetworkMasks
from smalltumor.training.runs.run_context import RunContext
from smalltumor.training.runs.run_folder import StopRequest


def execute(
    record: RunRecord,
    available: AvailableCases,
    context: RunContext,
    stop: StopListener,
    *,
    initial: Checkpoint | None,
    architecture: Architecture | None,
) -> bool:
    """Prepare the cases of a run and train.

    Parameters
    ----------
    record : RunRecord
    available : AvailableCases
    context : RunContext
    stop : StopListener
    initial : Checkpoint or None
        Weights to start from.
    architecture : Architecture or None
        By default the multi-task network.

    Returns
    -------
    bool
        False if it was stopped and can be resumed.

    Raises
    ------
    TrainingError, CaseError, CheckpointError, OutputError
    """
    try:
        cases = prepare_run_cases(record, available, context, stop)
    except StepAborted:
        _record_stop(context, stop, context.run.last_step)
        return False
    trainer = Trainer(
        record.config,
        cases,
        context,
        model_card(record, record.split.trained_on),
        initial=initial,
        architecture=architecture,
        stop=stop,
        epoch_steps=record.steps_per_epoch,
    )
    if record.request.resume:
        trainer.resume()
    _report_warnings(available.warnings, cases, context, trainer.learner.progress.step)
    _report_masks(trainer, record)
    _report_start(trainer, record, available.left_out(record.split))
    with stop_on_signals(stop, context.run):
        finished = trainer.train()
    if not finished:
        _record_stop(context, stop, trainer.learner.progress.step)
    return finished


def _record_stop(context: RunContext, stop: StopListener, step: int) -> None:
    context.append("stop", step, request=(stop.stop_request or StopRequest.STOP).value)


def _report_warnings(
    of_split: tuple[str, ...], cases: TrainingCases, context: RunContext, step: int
) -> None:
    """Say what makes cases doubtful, and record it, and what was said of the split, as events."""
    for message in of_split:
        context.append("warning", step, message=message)
    for case in cases.all:
        for message in case.warnings:
            context.warn(f"{case.name}: {message}")
            context.append("warning", step, case=case.name, message=message)


def _report_masks(trainer: Trainer, record: RunRecord) -> None:
    """Say and record that a network made masks of validation cases."""
    made_by = [case.made_by for case in trainer.cases.validation]
    text = NetworkMasks.among(made_by, ancestors(record.origin)).as_validation
    if text:
        trainer.context.warn(text)
        trainer.context.append("warning", trainer.learner.progress.step, message=text)


def _report_start(trainer: Trainer, record: RunRecord, left_out: list[str]) -> None:
    context, split, minutes = trainer.context, record.split, record.config.minutes
    progress, device = trainer.learner.progress, context.processes.device
    step, steps = progress.step, trainer.budget.steps(progress)
    context.append(
        "start",
        step,
        steps=0 if minutes else steps,
        device=str(device),
        training=list(split.training),
        validation=list(split.validation),
        left_out=left_out,
        made_by={
            case.name: case.made_by.as_json()
            for case in trainer.cases.validation
            if case.made_by is not None
        },
    )
    if left_out:
        names = ", ".join(left_out)
        context.log(f"not trained on, as scans of patients of the validation cases: {names}")
    context.log(
        f"{pluralize(len(split.training), 'training case')}, "
        f"{pluralize(len(split.validation), 'validation case')}; "
        f"step {step} of {f'{minutes:g} minutes' if minutes else steps} on {device}"
    )
