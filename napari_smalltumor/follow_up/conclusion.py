"""What follows from a comparison: the reasons to doubt it, and below them RANO's category."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QScrollArea, QVBoxLayout, QWidget
from smalltumor.follow_up import BASIS, FollowUp

from napari_smalltumor.widgets.layouts import wrapped_label

_LEAST_HEIGHT = 96


class Conclusion(QScrollArea):
    """As high as its text if there is space, else scrolled: any number of reasons has its place.

    Attributes
    ----------
    doubts : QLabel
        Hidden if there are none.
    response : QLabel
    """

    def __init__(self) -> None:
        super().__init__()
        self.doubts, self.response = wrapped_label(), wrapped_label()
        self.doubts.setStyleSheet("font-weight: bold")
        self._content = QWidget()
        layout = QVBoxLayout(self._content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.doubts)
        layout.addWidget(self.response)
        layout.addStretch(1)
        self.setWidget(self._content)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)

    def show_conclusion(self, follow_up: FollowUp, warnings: Sequence[str]) -> None:
        """Show the reasons to doubt a comparison, and its category."""
        reasons = "\n".join(f"• {text}" for text in warnings)
        self.doubts.setText(f"⚠ Reasons to doubt what follows:\n{reasons}" if warnings else "")
        self.doubts.setVisible(bool(warnings))
        response = follow_up.response
        category = "not evaluable" if response.category is None else response.category.value
        similarity = follow_up.registrations[-1].similarity
        self.response.setText(
            f"RANO, from measurements only: {category}; {'; '.join(response.reasons)}. "
            f"{BASIS} Similarity of the heads: {similarity:.2f}."
        )
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fit the height to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Be no higher than the text at the whole width, without a scroll bar."""
        height = self._content.heightForWidth(self.width())
        self.setMinimumHeight(min(height, _LEAST_HEIGHT))
        self.setMaximumHeight(height)
