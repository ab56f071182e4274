"""Which scored cases the network of their masks has seen in training, so that scores are too good.

`cohort.json` beside the masks says on which cases the network was trained. Masks without it, such
as those of `smalltumor segment`, may be of any program: the cases of the shipped weights are named.
These are read only if they are needed, and an installation without them does without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smalltumor.cohort.results.folder_settings import CohortInfo, FolderSettings
from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.data.identity.image_digests import blocks_of, images_of_mask
from smalltumor.data.identity.patients import patient_key
from smalltumor.data.volumes.nifti import stem
from smalltumor.errors import CheckpointError, SmalltumorError
from smalltumor.models.card import (
    SELECTED_ON,
    TRAINED_ON,
    TRAINED_ON_IMAGES,
    blocks_trained_on,
    images_trained_on,
    known_cases,
    lists_all_cases,
    selected_on,
    trained_on,
)
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint

_LEVELS = 3
"""Folders above a mask that may hold `SETTINGS`: its own, and above ``reviews/READER``."""


@dataclass(frozen=True)
class Origin:
    """What is known of the training of the network that has made some masks.

    Parameters
    ----------
    name : str
        Of the weights.
    seen : frozenset of str or None
        Cases that they were trained on; None if that is not known.
    blocks : frozenset of str
        Digests of blocks of the T1CE of these cases, as far as they are known.
    chosen_by : frozenset of str
        Cases by whose scores they were chosen.
    recorded : bool
        Whether the masks are known to be of these weights.
    """

    name: str
    seen: frozenset[str] | None
    blocks: frozenset[str]
    chosen_by: frozenset[str]
    recorded: bool


def training_facts(card: Mapping[str, Any]) -> dict[str, Any]:
    """What `SETTINGS` records of the training of a network, from its card."""
    images = images_trained_on(card)
    return {
        TRAINED_ON: trained_on(card),
        **({TRAINED_ON_IMAGES: images} if images else {}),
        SELECTED_ON: sorted(selected_on(card)),
    }


def notes_on_training(masks: Mapping[str, Path]) -> list[str]:
    """Say which scored cases are of patients that the network was trained on.

    Parameters
    ----------
    masks : mapping of str to Path
        Scored masks by the name of the case.

    Returns
    -------
    list of str
        Empty if no case is known to be of such a patient.
    """
    infos = {case: _info(mask) for case, mask in masks.items()}
    shipped, notes = None, []
    if not all(info and TRAINED_ON in info.training for info in infos.values()):
        try:
            shipped = load_checkpoint()
        except CheckpointError as error:
            notes = [f"scored cases were not compared with those of the shipped weights: {error}"]
    by_origin: dict[Origin, dict[str, Path]] = {}
    for case, info in infos.items():
        if origin := _origin(info, shipped):
            by_origin.setdefault(origin, {})[case] = masks[case]
    return notes + [note for origin, own in by_origin.items() for note in _notes(origin, own)]


def _origin(info: CohortInfo | None, shipped: Checkpoint | None) -> Origin | None:
    if shipped and (info is None or info.digest == shipped.digest):
        name = "they" if info is None else "the shipped weights"
        return _origin_of_card(shipped.card, name, recorded=info is not None)
    if info is None:
        return None
    name = f"the weights {info.weights}" if info.weights else "the weights"
    return _origin_of_card(info.training, name, recorded=True)


def _origin_of_card(card: Mapping[str, Any], name: str, *, recorded: bool) -> Origin:
    seen = known_cases(card) if lists_all_cases(card) else None
    return Origin(name, seen, blocks_trained_on(card), selected_on(card), recorded)


def _info(mask: Path) -> CohortInfo | None:
    """How the cohort that a mask is of was made; None if nothing is known of it.

    Those of a mask that is left from a run with other weights are not known, but for the weights.
    """
    for folder in list(mask.absolute().parents)[:_LEVELS]:
        try:
            settings = FolderSettings.read(folder)
            record = CohortCaseRecord.read(ResultsFolder(folder).record(stem(mask)))
        except SmalltumorError:
            return None
        if settings is None:
            continue
        info = settings.info
        if record is not None and info.digest and record.digest != info.digest:
            return CohortInfo(weights=record.weights, digest=record.digest)
        return info
    return None


def _notes(origin: Origin, masks: Mapping[str, Path]) -> list[str]:
    condition = "" if origin.recorded else "if these masks are of the shipped weights: "
    notes = []
    if origin.seen is None:
        notes.append(
            f"the training cases of {origin.name} are not recorded, so it cannot be checked "
            "whether the scored cases are among them"
        )
    if seen := _seen(origin, masks):
        notes.append(
            f"{condition}{origin.name} were trained on the patients of {', '.join(seen)}; "
            "scores of these cases do not show how good masks of other patients are"
        )
    if chosen := _of_patients(masks, origin.chosen_by - (origin.seen or frozenset())):
        notes.append(
            f"{condition}{origin.name} were chosen by scores on {', '.join(chosen)}, so the scores "
            "of these cases are too good"
        )
    return notes


def _seen(origin: Origin, masks: Mapping[str, Path]) -> list[str]:
    """Cases whose patient was trained on, by its name or by the images that the mask records."""
    named = _of_patients(masks, origin.seen or ())
    return [
        case
        for case, mask in masks.items()
        if case in named
        or (origin.blocks and not origin.blocks.isdisjoint(blocks_of(images_of_mask(mask))))
    ]


def _of_patients(names: Iterable[str], others: Iterable[str]) -> list[str]:
    patients = {patient_key(name) for name in others}
    return [name for name in names if patient_key(name) in patients]
