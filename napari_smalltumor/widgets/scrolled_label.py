"""A label that is scrolled where there is no space for all of its text."""

from __future__ import annotations

from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from napari_smalltumor.widgets.layouts import wrapped_label

_MIN_HEIGHT = 64


class ScrolledLabel(QScrollArea):
    """As high as its text if there is space, else scrolled; hidden without a text."""

    def __init__(self) -> None:
        super().__init__()
        self._label = wrapped_label()
        self._content = QWidget()
        self._content.setMinimumHeight(1)  # that of a label, which is of no width, may be too high
        layout = QVBoxLayout(self._content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._label)
        layout.addStretch(1)
        self.setWidget(self._content)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)

    def text(self) -> str:
        """The text, as of a QLabel."""
        return str(self._label.text())

    def show_text(self, text: str) -> None:
        """Show a text; nothing if it is empty."""
        self._label.setText(text)
        self.setVisible(bool(text))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fit the height to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Be no higher than the text, beside a scroll bar while there is one.

        The scroll bar leaves once the narrower text fits, which resizes the viewport.
        """
        height = max(self._content.heightForWidth(self.viewport().width()), 0)  # -1 without a text
        self.setMinimumHeight(min(height, _MIN_HEIGHT))
        self.setMaximumHeight(height)
