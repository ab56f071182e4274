"""Train all folds of a cross-validation one after the other, and score what they hold out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from smalltumor.data.label_files import decode_labels, read_label_volume
from smalltumor.errors import Action, CaseError, LabelError, Remedy, TrainingError
from smalltumor.evaluation.case_rows import write_rows
from smalltumor.evaluation.out_of_fold_report import Results
from smalltumor.labels.regions import TissueClass
from smalltumor.models.card import known_cases, lists_all_cases
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.training.architecture import Architecture
from smalltumor.training.config import TrainingConfig
from smalltumor.training.cross_validation.folds import Folds
from smalltumor.training.cross_validation.record import CrossValidation, is_cross_validation
from smalltumor.training.cross_validation.results import ScoringSettings, read_results
from smalltumor.training.cross_validation.scoring import OUT_OF_FOLD
from smalltumor.training.data.dataset import LabelledCase, labelled_cases
from smalltumor.training.data.pack import PackedCase
from smalltumor.training.request import TrainingRequest
from smalltumor.training.run import train
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import is_locked
from smalltumor.training.trainer import Report


def train_folds(
    request: TrainingRequest,
    folds: int | None,
    report: Report = print,
    *,
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
    report : callable
        Receives one line of text at a time.
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
        As `train`, or if the cases, the weights or the settings are not those that the
        cross-validation was started with.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise TrainingError(
            "several processes train one fold at a time under torchrun; all folds are trained by "
            "one process for each GPU, started separately"
        )
    if is_cross_validation(request.run):
        validation = _resumed(request, folds)
    else:
        validation = _started(request, folds, report)
    chosen = _chosen(validation, fold)
    for number in chosen:
        run = validation.fold(number)
        if run.is_done or is_locked(run):
            continue
        report(f"{run.path.name}: {len(validation.folds.held_out[number])} cases held out")
        if not train(
            _request(validation, number),
            report,
            architecture=architecture,
            save_seconds=save_seconds,
        ):
            return False
    runs = [validation.fold(number) for number in chosen]
    waiting = [run.path.name for run in runs if not run.is_done]
    if waiting:
        report(f"another process is training {', '.join(waiting)}")
    return not waiting


def _chosen(validation: CrossValidation, fold: int | None) -> Sequence[int]:
    folds = range(len(validation.folds.held_out))
    if fold is None:
        return folds
    if fold not in folds:
        raise TrainingError(f"there is no fold {fold}: the folds are 0 to {folds[-1]}")
    return (fold,)


def score_folds(folder: Path, settings: ScoringSettings) -> Results:
    """Score what the folds of a cross-validation hold out, and write the table `OUT_OF_FOLD`.

    Raises
    ------
    SmalltumorError
        As `read_results`, or if the table cannot be written.
    """
    results = read_results([folder], settings)
    write_rows(results.rows, folder / OUT_OF_FOLD)
    return results


def _request(validation: CrossValidation, number: int) -> TrainingRequest:
    folder = validation.request.run
    return replace(
        validation.request,
        run=validation.fold(number).path,
        held_out=validation.folds.held_out[number],
        cache=validation.request.cache or folder / "cache",
        resume=True,
    )


def _started(request: TrainingRequest, folds: int | None, report: Report) -> CrossValidation:
    if folds is None:
        raise TrainingError(f"{request.run} holds no cross-validation")
    if RunFolder(request.run).config.is_file():
        raise TrainingError(
            f"{request.run} holds a run of its own; choose another folder for all folds"
        )
    changes = _without_patience(request)
    config = TrainingConfig(folds=folds).with_changes(changes)
    initial = None
    if request.weights or request.preset == "finetune":
        initial = load_checkpoint(request.weights)
    seen = known_cases(initial.card) if initial else frozenset()
    voxels = {case.name: _et_voxels(case) for case in _cases(request)}
    split = Folds.draw(voxels, config.folds, config.seed, seen)
    _report_seen(split, initial, report)
    RunFolder(request.run).create()
    validation = CrossValidation(
        replace(request, changes=changes), split, initial.digest if initial else None
    )
    validation.write()
    return validation


def _without_patience(request: TrainingRequest) -> dict[str, object]:
    """The changes to the preset; no fold ends early."""
    if request.changes.get("patience"):
        raise TrainingError(
            "patience would end each fold by the scores of the cases that it holds out, and their "
            "scores would be too good; train a fixed number of epochs"
        )
    return {**request.changes, "patience": 0}


def _report_seen(split: Folds, initial: Checkpoint | None, report: Report) -> None:
    if split.always_training:
        report(
            f"{len(split.always_training)} cases are in the training part of every fold and not "
            "scored, because the starting weights were trained on them: "
            + ", ".join(split.always_training)
        )
    if initial is not None and not lists_all_cases(initial.card):
        report(
            f"warning: the card of {initial.name} does not list the cases it was trained on; if "
            "some of these are among them, their scores will be too good"
        )


def _cases(request: TrainingRequest) -> list[LabelledCase]:
    """The cases to split: those of the data folder that are not in the validation folder."""
    held_out = labelled_cases(request.validation) if request.validation else []
    cases = labelled_cases(request.data, exclude={files.name for files in held_out})
    repeated = [name for name, count in Counter(c.name for c in cases).items() if count > 1]
    if repeated:
        raise TrainingError(
            f"{request.data} holds more than one case named {', '.join(repeated)}; rename one"
        )
    return cases


def _et_voxels(case: LabelledCase) -> int:
    try:
        if isinstance(case, PackedCase):
            classes = case.load(case.pack.preprocessing).classes.numpy()
        else:
            volume = read_label_volume(case.labels[0])
            classes, _ = decode_labels(volume, hint=case.scheme_hint)
    except (CaseError, LabelError) as error:
        raise TrainingError(
            f"{case.name} cannot be trained on: {error}", Remedy(Action.CHECK_DATASET)
        ) from error
    return int(np.count_nonzero(classes == TissueClass.ET))


def _resumed(request: TrainingRequest, folds: int | None) -> CrossValidation:
    """The cross-validation in the folder, on the request's device."""
    if not request.resume:
        raise TrainingError(
            f"{request.run} holds a cross-validation already", Remedy(Action.CHOOSE_RUN_FOLDER)
        )
    earlier = CrossValidation.read(request.run)
    before = earlier.request
    request = replace(
        request,
        preset=before.preset,
        weights=before.weights,
        validation=request.validation or before.validation,
        cache=request.cache or before.cache,
        card=request.card or before.card,
        device=request.device if request.device != "auto" else before.device,
        changes={**before.changes, **request.changes},
    )
    _check_unchanged(earlier, request, folds)
    resumed = replace(earlier, request=request)
    if request.changes != before.changes:
        resumed.write()
    return resumed


def _check_unchanged(earlier: CrossValidation, request: TrainingRequest, folds: int | None) -> None:
    number = len(earlier.folds.held_out)
    if folds not in (None, number):
        raise TrainingError(
            f"folds = {folds}: the cross-validation was started with {number}; start a new one"
        )
    now, then = {files.name for files in _cases(request)}, earlier.folds.cases
    if now != then:
        differences = (
            *(f"{name} is new" for name in sorted(now - then)),
            *(f"{name} has gone" for name in sorted(then - now)),
        )
        raise TrainingError(
            f"{request.data} does not hold the cases that were split: {', '.join(differences)}; "
            "undo this, or start a new cross-validation"
        )
    _without_patience(request)
    done = [run.path.name for run in earlier.runs if run.is_done]
    if done and request.changes != earlier.request.changes:
        raise TrainingError(
            f"{', '.join(done)} was trained with other settings, and the folds would not be "
            "comparable; start a new cross-validation"
        )
    if earlier.weights is not None and load_checkpoint(request.weights).digest != earlier.weights:
        raise TrainingError(
            "the starting weights have changed since the cross-validation was started; put them "
            "back, or start a new one"
        )
