"""A dock that follows its viewer while it is in a window."""

from __future__ import annotations

from functools import partial
from weakref import ref

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QWidget


class FollowsViewer(QWidget):
    """Calls `connect_viewer` and `disconnect_viewer` in turn, whatever becomes of the dock.

    A dock that is closed is taken out of its window, and may be put into it again. One that is
    deleted with its window gets no event. In a class, the panel comes before this base, as PyQt
    finds only the signals of the first one.
    """

    follows_viewer = False

    def follow_viewer(self) -> None:
        """Follow the viewer from now on; call it when the dock is complete."""
        self.destroyed.connect(partial(_close, ref(self)))
        self._open()

    def connect_viewer(self) -> None:
        """Connect to the viewer, and show what is there now."""
        raise NotImplementedError

    def disconnect_viewer(self) -> None:
        """Disconnect from the viewer."""
        raise NotImplementedError

    def event(self, event: QEvent) -> bool:
        """Follow the viewer while the dock is in a window."""
        if event.type() == QEvent.Type.ParentChange:
            self._open() if self.parent() is not None else self._close()
        return bool(super().event(event))

    def _open(self) -> None:
        if not self.follows_viewer:
            self.follows_viewer = True
            self.connect_viewer()

    def _close(self) -> None:
        if self.follows_viewer:
            self.follows_viewer = False
            self.disconnect_viewer()


def _close(dock: ref[FollowsViewer]) -> None:
    # By reference: the signal would keep the panel of a closed dock in memory.
    existing = dock()
    if existing is not None:
        existing._close()
