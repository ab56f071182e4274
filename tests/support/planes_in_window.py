"""Open the planes of a window, and press its shortcuts."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QAction, QApplication, QShortcut

from napari_smalltumor import keys
from napari_smalltumor.main_window.planes_area import Layout
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.main_window.toolbar import ensure_toolbar


def open_planes(viewer, layout=Layout.FOUR):
    ensure_toolbar(viewer)
    window = planes_window(viewer)
    window.show(layout)
    QApplication.processEvents()
    return window


def drag(widget, button, pos) -> None:
    """Move the mouse over a widget while a button is pressed; QTest's own has none with Qt 5."""
    at = QPointF(pos)
    modifiers = Qt.KeyboardModifier.NoModifier
    move = QMouseEvent(QEvent.Type.MouseMove, at, at, Qt.MouseButton.NoButton, button, modifiers)
    QApplication.sendEvent(widget, move)


def press(window, key: keys.Key) -> None:
    """Activate a shortcut of the window; Qt's own need the focus, which a test may not have."""
    for action in window.main_window.findChildren(QAction):
        if action.shortcut().toString() == key.sequence:
            action.trigger()
    for shortcut in window.main_window.findChildren(QShortcut):
        if shortcut.key().toString() == key.sequence:
            shortcut.activated.emit()
