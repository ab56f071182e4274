"""Notice that a window has been closed."""

from __future__ import annotations

from weakref import ref

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QWidget


class WindowClosed(QObject):
    """Tells that a window has been closed, and not only asked to: a question may keep it open.

    Parameters
    ----------
    window : QWidget
        Not the parent, since it may be deleted when it is closed, and not kept alive.
    """

    closed = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__()
        self._window = ref(window)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Look at the window when the event has been handled."""
        if event.type() == QEvent.Type.Close:
            QTimer.singleShot(0, self._tell)
        return False

    def _tell(self) -> None:
        window = self._window()
        is_open = window is not None and isalive(window) and window.isVisible()
        if isalive(self) and not is_open:
            self.closed.emit()
