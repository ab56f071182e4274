"""Sentences of a comparison that warn, shown as long as it is."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from napari_smalltumor.widgets.layouts import wrapped_label

_MIN_HEIGHT = 64


class ComparisonWarnings(QScrollArea):
    """As high as its text if there is space, else scrolled: the dock has no place for dozens.

    Attributes
    ----------
    label : QLabel
    """

    def __init__(self) -> None:
        super().__init__()
        self.label = wrapped_label()
        self._content = QWidget()
        self._content.setMinimumHeight(1)  # that of a label, which is of no width, may be too high
        layout = QVBoxLayout(self._content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.label)
        layout.addStretch(1)
        self.setWidget(self._content)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)

    def show_warnings(self, warnings: Sequence[str]) -> None:
        """Show the reasons; nothing without any."""
        reasons = "\n".join(f"• {text}" for text in warnings)
        self.label.setText(f"⚠ Reasons to doubt this comparison:\n{reasons}" if warnings else "")
        self.setVisible(bool(warnings))
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
