"""The mean of the weights of several networks that started from the same weights.

Networks that continue from one network with other crops lie in one basin of the loss, and their
mean often generalises better than each of them (Wortsman et al. 2022, arXiv:2203.05482). Networks
that started from different random weights have no useful mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from smalltumor.errors import CheckpointError
from smalltumor.files.tensor_file import Tensors
from smalltumor.models.card import (
    MODALITY_DROPOUT,
    RESEARCH_USE,
    SELECTED_ON,
    STARTED_FROM_DIGEST,
    TRAINED_ON,
    TRAINED_ON_IMAGES,
    images_trained_on,
    lists_all_cases,
    selected_on,
    trained_on,
)
from smalltumor.models.checkpoint import Checkpoint

AVERAGE_OF = "average_of"
"""Key of the names of the networks whose mean a network is."""


def average(checkpoints: Sequence[Checkpoint]) -> Checkpoint:
    """The mean of the weights of networks of one size.

    Parameters
    ----------
    checkpoints : sequence of Checkpoint
        Two or more that started from the same weights.

    Returns
    -------
    Checkpoint
        Its card names the networks and all cases that any of them was trained or chosen on.

    Raises
    ------
    CheckpointError
        If there are fewer than two, their sizes, preprocessing or starting weights differ, or a
        weight is not a finite number.
    """
    if len(checkpoints) < 2:
        raise CheckpointError("an average needs two weights files or more")
    first = checkpoints[0]
    for other in checkpoints[1:]:
        _check_relatives(first, other)
    tensors = [checkpoint.tensors() for checkpoint in checkpoints]
    arrays: Tensors = {}
    for name in tensors[0]:
        stacked: npt.NDArray[np.float32] = np.stack([each[name] for each in tensors])
        arrays[name] = np.asarray(stacked.mean(axis=0, dtype=np.float64), np.float32)
    return Checkpoint(
        config=first.config,
        preprocessing=first.preprocessing,
        card=_card(checkpoints),
        digest="",
        path=None,
        arrays=arrays,
    )


def _check_relatives(first: Checkpoint, other: Checkpoint) -> None:
    if other.config != first.config or other.arrays.keys() != first.arrays.keys():
        raise CheckpointError(f"{other.name} and {first.name} are networks of different sizes")
    if other.preprocessing != first.preprocessing:
        raise CheckpointError(f"{other.name} and {first.name} need different preprocessing")
    if not _have_one_start(first.card, other.card):
        raise CheckpointError(
            f"{first.name} started from {_start_of(first.card)} and {other.name} from "
            f"{_start_of(other.card)}: only networks that started from the same weights "
            "have a useful average"
        )


def _have_one_start(first: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two cards have the SHA-256 of the same starting weights."""
    digest = first.get(STARTED_FROM_DIGEST)
    return bool(digest) and digest == other.get(STARTED_FROM_DIGEST)


def _start_of(card: Mapping[str, Any]) -> str:
    digest = card.get(STARTED_FROM_DIGEST)
    name = str(card.get("started_from") or "unknown weights")
    return f"{name} (SHA-256 {str(digest)[:8]}...)" if digest else name


def _card(checkpoints: Sequence[Checkpoint]) -> dict[str, Any]:
    cards = [checkpoint.card for checkpoint in checkpoints]
    dropout = [card.get(MODALITY_DROPOUT, 0) for card in cards]
    lists = [trained_on(card) for card in cards]
    images = sorted({digest for card in cards for digest in images_trained_on(card)})
    if all(lists_all_cases(card) for card in cards):
        cases: list[str] | str = sorted({name for names in lists for name in names})
    else:
        cases = "; ".join(names if isinstance(names, str) else ", ".join(names) for names in lists)
    return {
        "name": "average of " + ", ".join(checkpoint.name for checkpoint in checkpoints),
        AVERAGE_OF: [checkpoint.name for checkpoint in checkpoints],
        TRAINED_ON: cases,
        **({TRAINED_ON_IMAGES: images} if images else {}),
        "started_from": cards[0].get("started_from", "unknown weights"),
        STARTED_FROM_DIGEST: cards[0][STARTED_FROM_DIGEST],
        **({MODALITY_DROPOUT: min(dropout)} if all(dropout) else {}),
        SELECTED_ON: sorted(frozenset[str]().union(*map(selected_on, cards))),
        "use": cards[0].get("use", RESEARCH_USE),
    }
