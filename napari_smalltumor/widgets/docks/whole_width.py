"""A dock that scrolls up and down is never narrower than what it shows."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QScrollArea


def show_whole_width(area: QScrollArea, least: int) -> None:
    """Keep a scroll area as wide as its widget needs, also if that needs more later.

    Without a horizontal scroll bar, what is wider would be cut on the right.

    Parameters
    ----------
    area : QScrollArea
    least : int
        Width of the widget at least, in pixels.
    """
    _WholeWidth(area, least)


class _WholeWidth(QObject):
    def __init__(self, area: QScrollArea, least: int) -> None:
        super().__init__(area)
        self._area, self._least = area, least
        area.widget().installEventFilter(self)
        self._update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Follow what the widget needs."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._update()
        return False

    def _update(self) -> None:
        needed = max(self._least, self._area.widget().minimumSizeHint().width())
        width = needed + self._area.verticalScrollBar().sizeHint().width()
        if width != self._area.minimumWidth():
            self._area.setMinimumWidth(width)
