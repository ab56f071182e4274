"""Start a cross-validation, or resume it with the cases and settings it was started with."""

from __future__ import annotations

from dataclasses import replace

from smalltumor.errors import Action, Remedy, TrainingError
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.config import FREE_SETTINGS, TrainingConfig
from smalltumor.training.cross_validation.record import CrossValidation, is_cross_validation
from smalltumor.training.data.dataset import LabelledCase, labelled_cases
from smalltumor.training.data.same_images import patients_by_images, t1ce_digests
from smalltumor.training.execution.run_cases import check_patients, check_unique_names
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.run_context import Log
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import hold_launch_lock, is_locked
from smalltumor.training.splits.stratified_folds import stratified_folds


def start_or_resume(
    request: TrainingRequest, folds: int | None, log: Log, warn: Log
) -> CrossValidation:
    """The cross-validation in the request's folder, which is started if there is none.

    Of several processes that start one at the same time, the first settles its split.

    Parameters
    ----------
    request : TrainingRequest
    folds : int or None
        Number of folds; None to resume.
    log, warn : callable
        Receive one line of text at a time.

    Raises
    ------
    SmalltumorError
        If the cases or weights cannot be used, or the cases, the weights or the settings are not
        those that the cross-validation was started with.
    """
    folder = RunFolder(request.run)
    if not is_cross_validation(folder.path):
        created = _created(request, folds, log, warn)
        folder.create()
        with hold_launch_lock(folder):
            if not is_cross_validation(folder.path):
                created.write()
                return created
    return _resumed(request, folds)


def _created(request: TrainingRequest, folds: int | None, log: Log, warn: Log) -> CrossValidation:
    """A cross-validation with a new split, not written yet."""
    if folds is None:
        raise TrainingError(f"{request.run} holds no cross-validation")
    folder = RunFolder(request.run)
    if folder.has(folder.config):
        raise TrainingError(
            f"{request.run} holds a run of its own; choose another folder for all folds"
        )
    changes = _without_patience(request)
    config = TrainingConfig(folds=folds).with_changes(changes)
    initial = None
    if request.weights or request.preset == "finetune":
        initial = load_checkpoint(request.weights)
    cases = _cases(request)
    digests = t1ce_digests(cases)
    patients = patients_by_images(digests, request.patients, warn)
    split = stratified_folds(cases, config, initial, digests, patients, log, warn)
    return CrossValidation(
        replace(request, changes=changes), split, initial.digest if initial else None
    )


def _without_patience(request: TrainingRequest) -> dict[str, object]:
    """The changes to the preset; no fold ends early."""
    if request.changes.get("patience"):
        raise TrainingError(
            "patience would end each fold by the scores of its validation cases, and their "
            "scores would be too good; train a fixed number of epochs"
        )
    return {**request.changes, "patience": 0}


def _cases(request: TrainingRequest) -> list[LabelledCase]:
    """The cases to split: those of the data folder that are not in the validation folder."""
    folder = request.validation_folder
    validation = labelled_cases(folder) if folder else []
    cases = labelled_cases(request.data, exclude={files.name for files in validation})
    check_patients(request, cases)
    check_unique_names(cases)
    return cases


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
        validation_folder=request.validation_folder or before.validation_folder,
        patients=request.patients or before.patients,
        cache=request.cache or before.cache,
        card=request.card or before.card,
        device=request.device if request.device != "auto" else before.device,
        changes={**before.changes, **request.changes},
    )
    _check_unchanged(earlier, request, folds)
    resumed = replace(earlier, request=request)
    if request.changes != before.changes:
        _rewrite(earlier, resumed)
    return resumed


def _rewrite(earlier: CrossValidation, resumed: CrossValidation) -> None:
    """Record other settings, unless another process has done so or started a fold meanwhile."""
    with hold_launch_lock(RunFolder(earlier.request.run)):
        if CrossValidation.read(earlier.request.run) != earlier:
            raise TrainingError(
                f"{earlier.request.run}: another process has changed the settings in the "
                "meantime; try again"
            )
        _check_settings(earlier, resumed.request)
        resumed.write()


def _check_unchanged(earlier: CrossValidation, request: TrainingRequest, folds: int | None) -> None:
    number = len(earlier.folds.validation_cases)
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
    if request.patients != earlier.request.patients:
        raise TrainingError(
            "the table of patients cannot change after the start of a cross-validation; start a "
            "new one"
        )
    _without_patience(request)
    _check_settings(earlier, request)
    if earlier.weights is not None and load_checkpoint(request.weights).digest != earlier.weights:
        raise TrainingError(
            "the starting weights have changed since the cross-validation was started; put them "
            "back, or start a new one"
        )


def _check_settings(earlier: CrossValidation, request: TrainingRequest) -> None:
    """All folds have one recipe, which is settled when the first is started; the seed is before."""
    now, then = dict(request.changes), earlier.request.changes
    changed = {name for name in now if name not in then or now[name] != then[name]}
    changed -= FREE_SETTINGS
    if "seed" in changed:
        raise TrainingError(
            "the seed cannot change after the folds were made; start a new cross-validation"
        )
    started = _started_folds(earlier)
    if started and changed:
        raise TrainingError(
            f"{', '.join(started)} was trained with other settings ({', '.join(sorted(changed))}), "
            "and the folds would not be comparable; start a new cross-validation"
        )


def _started_folds(cross_validation: CrossValidation) -> list[str]:
    """Names of the folds that have learnt something, or are about to."""
    return [
        run.path.name
        for run in cross_validation.runs
        if run.is_done or run.has(run.last) or is_locked(run)
    ]
