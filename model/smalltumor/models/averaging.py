"""The mean of the weights of several networks that started from the same weights.

Networks that continue from one network with other crops lie in one basin of the loss, and their
mean often generalises better than each of them (Wortsman et al. 2022, arXiv:2203.05482). Networks
that started from different random weights have no useful mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
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
    for one, other in combinations(checkpoints, 2):
        _check_relatives(one, other)
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
    """Whether two cards tell of the same starting weights, by SHA-256 if both have it."""
    digests = first.get(STARTED_FROM_DIGEST), other.get(STARTED_FROM_DIGEST)
    if all(digests):
        return digests[0] == digests[1]
    name = first.get("started_from")
    return name == other.get("started_from") and name not in (None, "random weights")


def _start_of(card: Mapping[str, Any]) -> str:
    digest = card.get(STARTED_FROM_DIGEST)
    name = str(card.get("started_from") or "unknown weights")
    return f"{name} (SHA-256 {str(digest)[:8]}...)" if digest else name


def start_warning(checkpoints: Sequence[Checkpoint]) -> str | None:
    """A warning if only the name of the starting weights tells that they were the same."""
    unknown = [each.name for each in checkpoints if not each.card.get(STARTED_FROM_DIGEST)]
    if not unknown:
        return None
    return (
        f"{', '.join(unknown)}: an earlier version wrote only the name of the starting weights, so "
        "that they may be other weights of that name"
    )


def _card(checkpoints: Sequence[Checkpoint]) -> dict[str, Any]:
    cards = [checkpoint.card for checkpoint in checkpoints]
    dropout = [card.get(MODALITY_DROPOUT, 0) for card in cards]
    lists = [trained_on(card) for card in cards]
    if all(lists_all_cases(card) for card in cards):
        cases: list[str] | str = sorted({name for names in lists for name in names})
    else:
        cases = "; ".join(names if isinstance(names, str) else ", ".join(names) for names in lists)
    digests = {card.get(STARTED_FROM_DIGEST) for card in cards}
    digest = digests.pop() if len(digests) == 1 else None
    return {
        "name": "average of " + ", ".join(checkpoint.name for checkpoint in checkpoints),
        AVERAGE_OF: [checkpoint.name for checkpoint in checkpoints],
        TRAINED_ON: cases,
        "started_from": cards[0].get("started_from", "unknown weights"),
        **({STARTED_FROM_DIGEST: digest} if digest else {}),
        **({MODALITY_DROPOUT: min(dropout)} if all(dropout) else {}),
        SELECTED_ON: sorted(frozenset[str]().union(*map(selected_on, cards))),
        "use": cards[0].get("use", RESEARCH_USE),
    }
