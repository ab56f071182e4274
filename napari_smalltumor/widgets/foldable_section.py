"""A section of a dock that the user can fold."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget


class FoldableSection(QWidget):
    """A title with an arrow, and below it a widget that a click on the title shows or hides.

    Folded widgets are hidden, so that Tab does not reach them.

    Parameters
    ----------
    content : QWidget
        Folded at first.
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self._content = content
        self._title = QToolButton()
        self._title.setCheckable(True)
        self._title.setAutoRaise(True)
        self._title.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._title)
        layout.addWidget(content)
        self._title.toggled.connect(self._show_content)
        self._show_content(False)

    @property
    def title(self) -> str:
        """The text beside the arrow."""
        return str(self._title.text())

    @title.setter
    def title(self, text: str) -> None:
        self._title.setText(text)
        self._title.setToolTip(text)

    def _show_content(self, shown: bool) -> None:
        self._title.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
        self._content.setVisible(shown)
