"""Releases of keys that were pressed with Ctrl, which napari takes for those of the keys alone.

napari chooses the earlier tool again when the key of a tool is released after it was held. It keeps
the time of the press of `Z` after its release, so that the release of `Z` in Ctrl+Z, a little
later, chooses the brush again, and the next click paints.
"""

from __future__ import annotations

from qtpy.QtCore import QChildEvent, QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget


class ChordReleases(QObject):
    """Withholds the release of a key from napari if it was pressed with Ctrl.

    Parameters
    ----------
    main_window : QMainWindow
        The window, which hands keys to napari, as its docks do.
    canvas : QWidget
        napari's own canvas.
    """

    def __init__(self, main_window: QMainWindow, canvas: QWidget) -> None:
        super().__init__(main_window)
        self._pressed: set[int] = set()
        for widget in (main_window, canvas, *main_window.findChildren(QDockWidget)):
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Note a press with Ctrl, and stop the release that belongs to it."""
        if isinstance(event, QKeyEvent):
            return self._belongs_to_chord(event)
        if event.type() == QEvent.Type.ChildPolished:
            child = event.child() if isinstance(event, QChildEvent) else None
            if isinstance(child, QDockWidget):
                child.installEventFilter(self)
        return False

    def _belongs_to_chord(self, event: QKeyEvent) -> bool:
        with_control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.type() == QEvent.Type.KeyPress:
            (self._pressed.add if with_control else self._pressed.discard)(event.key())
            return False
        if event.type() != QEvent.Type.KeyRelease:
            return False
        belongs = event.key() in self._pressed
        if not event.isAutoRepeat():
            self._pressed.discard(event.key())
        return belongs or with_control  # a widget may have taken the press
