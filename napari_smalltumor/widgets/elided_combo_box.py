"""Combo boxes that cut a long text in its middle, so that its end can still be read.

The name of an image layer ends in its modality, and that of a patient in what tells two
examinations apart.
"""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter

_MARGIN = 4


def elide_in_the_middle(combo: QComboBox, placeholder: str = "") -> None:
    """Let a combo box elide its current text, and those in its list, in the middle.

    Parameters
    ----------
    combo : QComboBox
    placeholder : str
        Text while nothing is chosen.
    """
    combo.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)
    combo.installEventFilter(_Painter(combo, placeholder))


def elided_text(combo: QComboBox, placeholder: str = "") -> str:
    """The text of a combo box as it is painted."""
    option = QStyleOptionComboBox()
    combo.initStyleOption(option)
    field = combo.style().subControlRect(
        QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, combo
    )
    text = combo.currentText() or placeholder
    width = field.width() - _MARGIN
    return str(combo.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, width))


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
