"""Combo boxes that cut a long text where it is still told from the other texts.

The name of an image layer ends in its modality. Two examinations of a patient often have long names
that differ in their middle.
"""

from __future__ import annotations

from qtpy.QtCore import QEvent, QModelIndex, QObject, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStyleOptionViewItem,
    QStylePainter,
)

from napari_smalltumor.widgets.elided_text import elided_apart

_MARGIN = 4


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
