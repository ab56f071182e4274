"""Combo boxes that cut a long text where it is still told from the other texts.

The name of an image layer ends in its modality. Two examinations of a patient often have long names
that differ in their middle.
"""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QEvent, QModelIndex, QObject, Qt
from qtpy.QtGui import QFontMetrics
from qtpy.QtWidgets import (
    QComboBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStyleOptionViewItem,
    QStylePainter,
)

_MARGIN = 4
_LONGEST_WORD = 10
"""A word is shown from its beginning if it differs within so many characters."""

_BEFORE_DIFFERENCE = 4
"""Characters of a longer word that are shown before the first one that differs."""

_BETWEEN_WORDS = "_- ./"

_HEAD = 0.4
"""Share of the width for the beginning of a text that is cut before the difference."""


def elide_long_texts(combo: QComboBox, placeholder: str = "") -> None:
    """Let a combo box elide its current text, and those in its list, so that they differ.

    Parameters
    ----------
    combo : QComboBox
    placeholder : str
        Text while nothing is chosen.
    """
    combo.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)
    combo.setItemDelegate(_Delegate(combo))
    combo.installEventFilter(_Painter(combo, placeholder))


def elided_text(combo: QComboBox, placeholder: str = "") -> str:
    """The text of a combo box as it is painted."""
    option = QStyleOptionComboBox()
    combo.initStyleOption(option)
    field = combo.style().subControlRect(
        QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, combo
    )
    text = combo.currentText() or placeholder
    return elided_apart(text, _texts(combo), field.width() - _MARGIN, combo.fontMetrics())


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


def _common_start(one: str, other: str) -> int:
    """Number of characters with which both texts begin."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _word_start(text: str, position: int) -> int:
    """Where the word around a position starts, or a little before the position."""
    start = max(text.rfind(mark, 0, position) for mark in _BETWEEN_WORDS) + 1
    return start if position - start <= _LONGEST_WORD else max(position - _BEFORE_DIFFERENCE, 0)


def _elided(text: str, width: int, metrics: QFontMetrics, mode: Qt.TextElideMode) -> str:
    return str(metrics.elidedText(text, mode, width))


def _texts(combo: QComboBox) -> list[str]:
    return [combo.itemText(number) for number in range(combo.count())]


class _Delegate(QStyledItemDelegate):
    """Elides the texts in the list of a combo box."""

    def initStyleOption(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Replace the text by one that fits."""
        super().initStyleOption(option, index)
        combo = self.parent()
        width = option.rect.width() - 2 * _MARGIN
        if isinstance(combo, QComboBox) and width > 0:
            option.text = elided_apart(option.text, _texts(combo), width, option.fontMetrics)


class _Painter(QObject):
    """Paints a combo box instead of Qt, which cuts texts off at their end."""

    def __init__(self, combo: QComboBox, placeholder: str) -> None:
        super().__init__(combo)
        self._placeholder = placeholder

    def eventFilter(self, combo: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Handle the paint event."""
        if event.type() != QEvent.Type.Paint or not isinstance(combo, QComboBox):
            return False
        option = QStyleOptionComboBox()
        combo.initStyleOption(option)
        option.currentText = elided_text(combo, self._placeholder)
        painter = QStylePainter(combo)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()
        return True
