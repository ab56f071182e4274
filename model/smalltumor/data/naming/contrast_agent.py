"""Whether a BIDS name says that a T1 was acquired after a contrast agent.

The entity ``ce`` says so by itself. Without it, the labels of ``acq``, ``rec`` and ``desc`` may, in
words such as ``mpragePost``. Labels have no separators, and a word of an agent may be a part of
another one: ``space`` ends with ``ce``, ``preproc`` begins with ``pre``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_AGENT = r"ce|km|gd|gad\w*|dotarem|magnevist|prohance|multihance|contrast|enh|enhanced|post"
_SEQUENCE = "f?spgr|m?prage|space|spc|cube|bravo|vibe|flash|tse|tfe|t1w?"
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
"""Words of a label, by capitals and digits."""
_UPPER_AND_LOWER = re.compile("[A-Z]{2,}|[a-z]{2,}")
"""Words of a label such as ``SPACEce``."""
_SURGERY = re.compile("(?i:pre|post)(?i:op|surg|rt|treat|bx|chemo)[a-z]*")
_IS_AGENT = re.compile(
    rf"(?:{_AGENT})+|.+(?:post|contrast|gado?|gd)|(?:gd|gado?)(?:{_SEQUENCE})"
    rf"|(?:{_SEQUENCE})(?:ce|km)",
    re.IGNORECASE,
)
_IS_NONE = re.compile(rf"(?:none|non|no|pre|without|nativ|native)(?:{_AGENT})*", re.IGNORECASE)


def has_agent(entities: Mapping[str, str]) -> bool:
    """Whether the entities of a name tell that a contrast agent was given.

    Parameters
    ----------
    entities : mapping of str to str
        Labels by key, as ``{"sub": "01", "acq": "mpragePost"}``.
    """
    if "ce" in entities:
        return _IS_NONE.fullmatch(_words(entities["ce"])[0]) is None
    words = [word for key in ("acq", "rec", "desc") for word in _words(entities.get(key, ""))]
    if any(_IS_NONE.fullmatch(word) for word in words):
        return False
    return any(_IS_AGENT.fullmatch(word) for word in words)


def _words(label: str) -> list[str]:
    """Words of a label without that of an operation, in both ways of splitting it."""
    label = _SURGERY.sub("-", label)
    return [*_WORDS.findall(label), *_UPPER_AND_LOWER.findall(label)] or [label]
