"""Whether a window was drawn since something in it has changed."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMainWindow


class DrawnWindow(QObject):
    """Notices that Qt draws what was changed in a window.

    Parameters
    ----------
    window : QMainWindow
        Becomes the parent.

    Attributes
    ----------
    is_drawn : bool
        Whether the window was drawn since this was set to False, as it is at first.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.is_drawn = False
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Notice the event on which Qt draws everything that is to be drawn again."""
        if event.type() == QEvent.Type.UpdateRequest and watched is self.parent():
            self.is_drawn = True
        return False
