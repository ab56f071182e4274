"""Train all folds of a cross-validation one after the other, and score their validation cases."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from smalltumor.errors import (
    Action,
    RunInUseError,
    TrainingError,
    TrainingMemoryError,
)
from smalltumor.evaluation.report.out_of_fold_report import Results
from smalltumor.evaluation.summaries.case_rows import write_rows
from smalltumor.text import pluralize
from smalltumor.training.architecture import Architecture
from smalltumor.training.config import FREE_SETTINGS, TrainingConfig
from smalltumor.training.cross_validation.record import CrossValidation
from smalltumor.training.cross_validation.results import ScoringSettings, read_results
from smalltumor.training.cross_validation.scoring import OUT_OF_FOLD
from smalltumor.training.cross_validation.start import start_or_resume
from smalltumor.training.execution.run_record import RunRecord
from smalltumor.training.execution.train import recipe_of, train
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.run_context import Log, warning_through
from smalltumor.training.runs.run_lock import is_locked


def train_folds(
    request: TrainingRequest,
    folds: int | None,
    log: Log = print,
    *,
    warn: Log | None = None,
    fold: int | None = None,
    architecture: Architecture | None = None,
    save_seconds: float = 60,
) -> bool:
    """Start or resume a cross-validation: train the folds that are not done.

    Several processes may work on one folder, such as one for each GPU: each takes the next fold
    that no other is training.

    Parameters
    ----------
    request : TrainingRequest
        `run` is the folder of the cross-validation, which gets a run folder for each fold.
    folds : int or None
        Number of folds; None to resume.
    log : callable
        Receives one line of text at a time.
    warn : callable, optional
        Receives each warning; by default `log` does.
    fold : int, optional
        The only fold to train, from 0; by default all of them.
    architecture : Architecture, optional
        By default the multi-task network, see `train`.
    save_seconds : float
        Least time between two saved states.

    Returns
    -------
    bool
        False if training was stopped, or other processes are still training.

    Raises
    ------
    SmalltumorError
        As `train` and `start_or_resume`.
    """
    _check_one_process()
    warn = warn or warning_through(log)
    cross_validation = start_or_resume(request, folds, log, warn)
    _check_recipe(cross_validation)
    chosen = _chosen(cross_validation, fold)
    for number in chosen:
        finished = _train_fold(
            cross_validation,
            number,
            log,
            warn=warn,
            architecture=architecture,
            save_seconds=save_seconds,
        )
        if not finished:
            return False
    runs = [cross_validation.fold(number) for number in chosen]
    waiting = [run.path.name for run in runs if not run.is_done]
    if waiting:
        log(f"another process is training {', '.join(waiting)}")
    return not waiting


def _check_one_process() -> None:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise TrainingError(
            "torchrun can train one fold only; to train all folds, start one process for each GPU "
            "without torchrun"
        )


def _train_fold(
    cross_validation: CrossValidation,
    number: int,
    log: Log,
    *,
    warn: Log,
    architecture: Architecture | None,
    save_seconds: float,
) -> bool:
    """Train a fold, unless it is done or another process trains it; False if it was stopped."""
    run = cross_validation.fold(number)
    if run.is_done or is_locked(run):
        return True
    validation_cases = cross_validation.folds.validation_cases[number]
    log(f"{run.path.name}: {pluralize(len(validation_cases), 'validation case')}")
    try:
        return train(
            _request(cross_validation, number),
            log,
            warn=warn,
            architecture=architecture,
            save_seconds=save_seconds,
        )
    except TrainingMemoryError as error:
        raise _one_recipe_error(error) from error
    except RunInUseError:  # another process has taken this fold in the meantime
        return True


def _check_recipe(cross_validation: CrossValidation) -> None:
    """Refuse folds of another recipe than those that have started.

    A preset is stored by its name; another version of the program may mean other settings by it.
    """
    started = next((run for run in cross_validation.runs if run.has(run.config)), None)
    if started is None:
        return
    before, now = RunRecord.read(started).config, recipe_of(cross_validation.request)
    of_weights = {"network", "preprocessing"}
    differing = [
        field.name
        for field in fields(TrainingConfig)
        if field.name not in FREE_SETTINGS | of_weights
        and getattr(before, field.name) != getattr(now, field.name)
    ]
    if differing:
        raise TrainingError(
            f"{started.path.name} was started with another {', '.join(differing)} than the preset "
            f"{cross_validation.request.preset} has in this version; start a new "
            "cross-validation, or finish this one with the version that started it"
        )


def _one_recipe_error(error: TrainingMemoryError) -> TrainingMemoryError:
    """The error with what a cross-validation allows: no fold resumes with another recipe."""
    if error.remedy is None or not error.remedy.settings:
        return error
    return TrainingMemoryError(str(error), replace(error.remedy, action=Action.START_AGAIN))


def _chosen(cross_validation: CrossValidation, fold: int | None) -> Sequence[int]:
    folds = range(len(cross_validation.folds.validation_cases))
    if fold is None:
        return folds
    if fold not in folds:
        raise TrainingError(f"there is no fold {fold}: the folds are 0 to {folds[-1]}")
    return (fold,)


def score_folds(folder: Path, settings: ScoringSettings) -> Results:
    """Score the validation cases of all folds, and write the table `OUT_OF_FOLD`.

    Raises
    ------
    SmalltumorError
        As `read_results`, or if the table cannot be written.
    """
    results = read_results([folder], settings)
    write_rows(results.rows, folder / OUT_OF_FOLD)
    return results


def _request(cross_validation: CrossValidation, number: int) -> TrainingRequest:
    folder = cross_validation.request.run
    return replace(
        cross_validation.request,
        run=cross_validation.fold(number).path,
        validation_cases=cross_validation.folds.validation_cases[number],
        cache=cross_validation.request.cache or folder / "cache",
        resume=True,
    )
