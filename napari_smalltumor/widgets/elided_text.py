"""Long texts take several lines, or are cut where they are still told from other texts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from qtpy.QtCore import Qt
from qtpy.QtGui import QFontMetrics

_HEAD = 0.4
"""Share of the width for the beginning of a text that is cut before the difference."""
_BETWEEN_WORDS = "_- ./"
_MAX_PREFIX = 10
"""A word is shown from its beginning if it differs within so many characters."""
_BEFORE_DIFFERENCE = 4
"""Characters of a longer word that are shown before the first one that differs."""


def elided_apart(text: str, others: Iterable[str], width: int, metrics: QFontMetrics) -> str:
    """Cut a text to a width: in its middle, or else before what tells it from the other texts.

    Parameters
    ----------
    text : str
    others : iterable of str
        The texts that it must not look like.
    width : int
        In pixels.
    metrics : QFontMetrics
    """
    middle = _elided(text, width, metrics, Qt.TextElideMode.ElideMiddle)
    alike = [
        other
        for other in others
        if other != text and _elided(other, width, metrics, Qt.TextElideMode.ElideMiddle) == middle
    ]
    if middle == text or not alike:
        return middle
    start = _word_start(text, max(_common_start(text, other) for other in alike))
    head = _elided(text[:start], int(width * _HEAD), metrics, Qt.TextElideMode.ElideRight)
    room = width - metrics.horizontalAdvance(head)
    return head + _elided(text[start:], room, metrics, Qt.TextElideMode.ElideRight)


def lines_apart(
    text: str, others: Iterable[str], width: int, metrics: QFontMetrics, lines: int
) -> list[str]:
    """Break a text between its words to lines of a width, or cut it if they do not suffice.

    Parameters
    ----------
    text, others, width, metrics
        As for `elided_apart`.
    lines : int
        How many there may be at most.
    """
    broken = [""]
    for word in _words(text):
        if broken[-1] and metrics.horizontalAdvance((broken[-1] + word).rstrip()) > width:
            broken.append("")
        broken[-1] += word
    fits = all(metrics.horizontalAdvance(line.rstrip()) <= width for line in broken)
    if len(broken) <= lines and fits:
        return [line.rstrip() for line in broken]
    return [elided_apart(text, others, width, metrics)]


def _words(text: str) -> list[str]:
    """The words of a text, each with the marks that end it."""
    return re.findall(rf"[^{re.escape(_BETWEEN_WORDS)}]*[{re.escape(_BETWEEN_WORDS)}]+|.+", text)


def _common_start(one: str, other: str) -> int:
    """Number of characters with which both texts begin."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _word_start(text: str, position: int) -> int:
    """Where the word around a position starts, or a little before the position."""
    start = max(text.rfind(mark, 0, position) for mark in _BETWEEN_WORDS) + 1
    return start if position - start <= _MAX_PREFIX else max(position - _BEFORE_DIFFERENCE, 0)


def _elided(text: str, width: int, metrics: QFontMetrics, mode: Qt.TextElideMode) -> str:
    return str(metrics.elidedText(text, mode, width))
