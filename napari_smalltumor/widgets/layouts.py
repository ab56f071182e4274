"""Small parts that the pages of the Fine-tune dock share."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget


def button(text: str, tooltip: str) -> QPushButton:
    """A push button that Return does not press by accident."""
    made = QPushButton(text)
    made.setToolTip(tooltip)
    made.setAutoDefault(False)
    return made


def row(*widgets: QWidget) -> QHBoxLayout:
    """Widgets beside each other, of equal width."""
    line = QHBoxLayout()
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(6)
    for widget in widgets:
        line.addWidget(widget, 1)
    return line


def column(parent: QWidget) -> QVBoxLayout:
    """The layout of a page."""
    layout = QVBoxLayout(parent)
    layout.setContentsMargins(8, 8, 8, 8)
    layout.setSpacing(6)
    return layout


def sentence(text: str = "") -> QLabel:
    """Text that is wrapped, and can be copied."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
