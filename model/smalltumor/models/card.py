"""What the card of a network says about the cases it has been trained on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_KEYS = ("trained_on", "started_from_trained_on")


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


def lists_all_cases(card: Mapping[str, Any]) -> bool:
    """Whether the card lists its cases by name, so that they can be told from others."""
    present = [card[key] for key in _KEYS if key in card]
    return bool(present) and all(isinstance(value, list) for value in present)


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
