"""What waits until a widget is on the screen."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget


def once_shown(widget: QWidget, call: Callable[[], None]) -> None:
    """Call a function when a widget is shown, at once if it is; never if that does not happen."""
    if widget.isVisible():
        call()
    else:
        _OnceShown(widget, call)


class _OnceShown(QObject):
    def __init__(self, widget: QWidget, call: Callable[[], None]) -> None:
        super().__init__(widget)
        self._call = call
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Call the function in the next turn of the event loop, when the widget is complete."""
        if event.type() == QEvent.Type.Show and watched is self.parent():
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self._call)
            self.deleteLater()
        return False
