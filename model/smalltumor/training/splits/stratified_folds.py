"""The folds of cases: for a cross-validation, or for a run of one fold alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from smalltumor.data.identity.patients import patient_key
from smalltumor.data.masks.label_files import decode_labels, read_label_volume
from smalltumor.errors import Action, CaseError, LabelError, Remedy, TrainingError
from smalltumor.labels.masks import class_mask
from smalltumor.labels.regions import TissueClass
from smalltumor.models.card import known_cases, lists_all_cases
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.text import pluralize
from smalltumor.training.config import TrainingConfig
from smalltumor.training.data.dataset import LabelledCase
from smalltumor.training.data.pack import PackedCase
from smalltumor.training.data.same_images import known_by_images
from smalltumor.training.splits.folds import Folds


def stratified_folds(
    cases: Sequence[LabelledCase],
    config: TrainingConfig,
    initial: Checkpoint | None,
    digests: Mapping[str, str],
    patients: Mapping[str, str],
    log: Callable[[str], None],
    warn: Callable[[str], None],
) -> Folds:
    """Split cases into `config.folds` folds with `config.seed`, stratified by their masks.

    Parameters
    ----------
    cases : sequence of LabelledCase
        Without those of a validation folder; see `check_unique_names`.
    config : TrainingConfig
    initial : Checkpoint or None
        The starting weights; no fold validates on a patient that they were trained on.
    digests : mapping of str to str
        `t1ce_digest` by case.
    patients : mapping of str to str
        Patients by case, see `patient_of`.
    log, warn : callable
        Receive one line of text at a time.

    Raises
    ------
    TrainingError
        If a mask cannot be read, or there are fewer patients to validate on than folds.
    """
    log(f"reading the masks of {pluralize(len(cases), 'case')} to split them into folds")
    voxels = {case.name: _et_voxels(case) for case in cases}
    seen: frozenset[str] = frozenset()
    if initial is not None:
        seen = known_cases(initial.card) | known_by_images(initial.card, digests)
    folds = Folds.stratified(voxels, config.folds, config.seed, seen, patients)
    _report(folds, patients, log)
    if initial is not None and not lists_all_cases(initial.card):
        warn(
            f"the card of {initial.name} does not list the cases it was trained on; if "
            "some of these are among them, their scores will be too good"
        )
    return folds


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
    return int(np.count_nonzero(class_mask(classes, TissueClass.ET)))


def _report(folds: Folds, patients: Mapping[str, str], log: Callable[[str], None]) -> None:
    """Say how many patients were split, and which the starting weights were trained on."""
    number = len({patient_key(name, patients) for name in folds.cases})
    if number < len(folds.cases):
        log(
            f"{len(folds.cases)} cases of {pluralize(number, 'patient')}; no patient is in two "
            "folds"
        )
    if folds.always_training:
        log(
            "in the training part of every fold and not scored: "
            f"{pluralize(len(folds.always_training), 'case')}, because the starting weights were "
            "trained on these patients: " + ", ".join(folds.always_training)
        )
