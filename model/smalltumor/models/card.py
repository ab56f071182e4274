"""What the card of a network says about its training."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smalltumor.data.identity.image_digests import blocks_in, blocks_of
from smalltumor.data.identity.patients import patient_key
from smalltumor.errors import CheckpointError
from smalltumor.files.damaged import DAMAGED
from smalltumor.text import pluralize

MODALITY_DROPOUT = "modality_dropout"
"""Key of the probability with which each of T1, T2 and FLAIR was left out of a training crop."""

DICE_WITHOUT = "dice_without"
"""Key of the mean Dice of each region with all sequences, ``all``, and without one of them."""

STARTED_FROM_DIGEST = "started_from_digest"
"""Key of the SHA-256 of the weights that training started from; ``started_from`` is their name."""

ANCESTORS = "started_from_ancestors"
"""Key of the SHA-256 of the weights before those, newest first."""

TRAINED_ON, STARTED_FROM_TRAINED_ON = "trained_on", "started_from_trained_on"
"""Keys of the cases that a network, and the weights that it started from, were trained on."""

TRAINED_ON_IMAGES, STARTED_FROM_TRAINED_ON_IMAGES = (
    "trained_on_images",
    "started_from_trained_on_images",
)
"""Keys of digests of the T1CE of each of these cases, which tell a copy under another name."""

SELECTED_ON, STARTED_FROM_SELECTED_ON = "selected_on", "started_from_selected_on"
"""Keys of the cases by whose scores each of them was chosen."""

BY_CASE = "by_case"
"""Key of the scores of single cases, each with the name of its case."""

RESEARCH_USE = "research only; not a medical device, not for diagnosis"
"""What networks are for, in their cards."""

_KEYS = (TRAINED_ON, STARTED_FROM_TRAINED_ON)
_LISTS = (*_KEYS, SELECTED_ON, STARTED_FROM_SELECTED_ON)
_IMAGE_KEYS = (TRAINED_ON_IMAGES, STARTED_FROM_TRAINED_ON_IMAGES)
_NOT_NAMED, _LEFT_OUT = "not named", "left out with the names of cases"


def is_trained_with_modality_dropout(card: Mapping[str, Any]) -> bool:
    """Whether T1, T2 or FLAIR was missing in some training crops, so that a case may lack them."""
    probability = card.get(MODALITY_DROPOUT)
    return isinstance(probability, int | float) and probability > 0


def dice_without(
    card: Mapping[str, Any], missing: Sequence[str]
) -> tuple[tuple[str, float, float], ...]:
    """What a missing sequence has cost patients whom the network had not been trained on.

    Parameters
    ----------
    card : mapping
        ``dice_without`` has a mapping of region names to mean Dice for ``all`` sequences and for
        each of ``t1``, ``t2`` and ``flair`` that was left out.
    missing : sequence of str
        Modalities that a case lacks.

    Returns
    -------
    tuple of (str, float, float)
        Name of a region, its mean Dice without the modality, and with all. Empty if this was not
        measured, as with more than one modality missing.
    """
    measured = card.get(DICE_WITHOUT)
    if len(missing) != 1 or not isinstance(measured, Mapping):
        return ()
    complete, without = measured.get("all"), measured.get(missing[0])
    if not isinstance(complete, Mapping) or not isinstance(without, Mapping):
        return ()
    return tuple((name, float(without[name]), float(complete[name])) for name in without)


def known_cases(card: Mapping[str, Any]) -> frozenset[str]:
    """Names of the cases that the network, or the one it started from, was trained on.

    Parameters
    ----------
    card : mapping
        ``trained_on`` and ``started_from_trained_on`` are lists of names, or sentences of which
        every word may be a name.
    """
    names: set[str] = set()
    for key in _KEYS:
        value = card.get(key, ())
        names.update(re.split(r"[^\w.-]+", value) if isinstance(value, str) else map(str, value))
    return frozenset(names - {""})


def selected_on(card: Mapping[str, Any]) -> frozenset[str]:
    """Names of the cases by whose scores the network was chosen among those of its run.

    Those of the network it started from belong to them.
    """
    names = (*_list(card.get(SELECTED_ON)), *_list(card.get(STARTED_FROM_SELECTED_ON)))
    return frozenset(map(str, names))


def ancestors(card: Mapping[str, Any]) -> tuple[str, ...]:
    """SHA-256 of the weights that training started from and of those before, newest first."""
    digests = [card.get(STARTED_FROM_DIGEST), *_list(card.get(ANCESTORS))]
    return tuple(digest for digest in digests if isinstance(digest, str) and digest)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def lists_all_cases(card: Mapping[str, Any]) -> bool:
    """Whether the card lists its cases by name, so that they can be told from others."""
    present = [card[key] for key in _KEYS if key in card]
    return bool(present) and all(isinstance(value, list) for value in present)


def images_trained_on(card: Mapping[str, Any]) -> list[str]:
    """Digests of the T1CE of cases that the network, or the one it started from, was trained on.

    Each has the blocks of `smalltumor.data.identity.image_digests.image_digest`, in any order.
    Cards of earlier releases have none.
    """
    listed = (str(digest) for key in _IMAGE_KEYS for digest in _list(card.get(key)))
    return list(dict.fromkeys(listed))


def blocks_trained_on(card: Mapping[str, Any]) -> frozenset[str]:
    """The blocks of `images_trained_on`."""
    return frozenset(blocks_in(images_trained_on(card)))


def was_trained_on(card: Mapping[str, Any], case: str, images: Mapping[str, str]) -> bool:
    """Whether the card lists the patient of a case, or a part of its images.

    Collections rename the scans that they take from others.

    Parameters
    ----------
    card : mapping
        Another key than that of a list may hold a sentence, as for a network that started from one
        without a list.
    case : str
        Its name.
    images : mapping of str to str
        `digests_of_images` of the case, or `recorded_images` of its mask.
    """
    listed = (str(name) for key in _KEYS for name in _list(card.get(key)))
    if patient_key(case) in map(patient_key, listed):
        return True
    return not blocks_trained_on(card).isdisjoint(blocks_of(images))


def trained_on(card: Mapping[str, Any]) -> list[str] | str:
    """All cases that `known_cases` gives, for the card of a network that starts from this one.

    Returns
    -------
    list of str, or str
        A sentence if the card does not list all cases.
    """
    present = [card[key] for key in _KEYS if key in card]
    if not lists_all_cases(card):
        texts = [value if isinstance(value, str) else ", ".join(value) for value in present]
        return "; ".join(texts) or "not said"
    return list(dict.fromkeys(name for names in present for name in names))


def readable_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card that has the numbers of digests in place of these."""
    return {
        key: f"digests of {pluralize(len(_list(value)), 'image')}" if key in _IMAGE_KEYS else value
        for key, value in card.items()
    }


def listed_names(card: Mapping[str, Any]) -> frozenset[str]:
    """Names of cases in the lists and scores of a card, which may be those of patients."""
    listed = {str(name) for key in _LISTS for name in _list(card.get(key))}
    return frozenset(listed | {str(score["case"]) for score in _scores_by_case(card)})


def without_names(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card that has the numbers of cases in place of their names, and no scores by case.

    A sentence that stands for a list is left out, since its words may be names, and the names that
    the card lists are left out of all other texts; so are the digests of images. It is then not
    known of a case whether the network was trained on it.
    """
    names = sorted(listed_names(card) - {""}, key=len, reverse=True)
    named = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names) or r"(?!)")
    return {
        key: _unnamed(value) if key in _LISTS else _without(value, named)
        for key, value in card.items()
        if key not in _IMAGE_KEYS
    }


def _unnamed(cases: Any) -> str:
    """How many cases there are, if that is known."""
    if isinstance(cases, list):
        return f"{pluralize(len(cases), 'case')}, {_NOT_NAMED}"
    text = str(cases)
    return text if re.fullmatch(rf"\d+ cases?, {_NOT_NAMED}", text) else _LEFT_OUT


def _without(value: Any, named: re.Pattern[str]) -> Any:
    """A part of a card without scores by case, and with texts that name none."""
    if isinstance(value, Mapping):
        return {key: _without(v, named) for key, v in value.items() if key != BY_CASE}
    if isinstance(value, list | tuple):
        return [_without(entry, named) for entry in value]
    return named.sub("a case", value) if isinstance(value, str) else value


def _scores_by_case(value: Any) -> list[Mapping[str, Any]]:
    """Scores with the name of a case, wherever they lie in a card."""
    if isinstance(value, list):
        return [score for entry in value for score in _scores_by_case(entry)]
    if not isinstance(value, Mapping):
        return []
    here = [score for score in _list(value.get(BY_CASE)) if isinstance(score, Mapping)]
    within = (score for entry in value.values() for score in _scores_by_case(entry))
    return [score for score in (*here, *within) if "case" in score]


def read_facts(path: Path) -> dict[str, Any]:
    """Further facts for a card, from a JSON file.

    Raises
    ------
    CheckpointError
        If the file cannot be read or holds no JSON object.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, *DAMAGED) as error:
        raise CheckpointError(f"{path}: the card cannot be read ({error})") from None
    if not isinstance(facts, dict):
        raise CheckpointError(f"{path}: a card is a JSON object")
    return facts
