"""A pause in which a window takes no keys and clicks."""

from __future__ import annotations

from psygnal import Signal, SignalInstance
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

_TEXT_FIELDS = (QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit)
_PRESSES = (
    QEvent.Type.ShortcutOverride,
    QEvent.Type.KeyPress,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonDblClick,
)


_BY_MOUSE = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
_MODIFIERS = (
    Qt.Key.Key_Shift,
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_Meta,
)


class _Events:
    dropped = Signal(str)


dropped: SignalInstance = _Events().dropped
"""At the end of a pause in which presses were dropped: whether the last was a "click" or "key"."""


class InputPause(QObject):
    """Drops the keys and clicks of a window and its docks, also of those that float, until `end`.

    Text fields and dialogs take theirs. What was dropped is told by `dropped`.

    Parameters
    ----------
    window : QMainWindow
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._last_dropped = ""
        self._is_press_announced = False
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Drop a press."""
        if event.type() not in _PRESSES or not self._is_of_window(watched):
            return False
        event.accept()  # so that a key is no shortcut
        if event.type() in _BY_MOUSE:
            self._last_dropped = "click"
        elif event.type() == QEvent.Type.ShortcutOverride:
            self._is_press_announced = True
        elif isinstance(event, QKeyEvent):
            # Qt announces each press. One that is not was made before: it has started the pause,
            # such as Return in a table, and Qt offers it to the widgets around that.
            is_new = event.key() not in _MODIFIERS and not event.isAutoRepeat()
            if is_new and self._is_press_announced:
                self._last_dropped = "key"
            self._is_press_announced = False
        return True

    def end(self) -> None:
        """End the pause after the presses that have not reached the window yet."""
        if isalive(self):
            QTimer.singleShot(0, self._end)

    def _end(self) -> None:
        if isalive(self):
            self.deleteLater()
            if self._last_dropped:
                dropped.emit(self._last_dropped)

    def _is_of_window(self, watched: QObject) -> bool:
        if not isinstance(watched, QWidget) or isinstance(watched, _TEXT_FIELDS):
            return False
        return _window_of_shortcuts(watched) is self.parent()


def _window_of_shortcuts(widget: QWidget) -> QWidget:
    """The window whose shortcuts work in a widget, also if that is in a dock that floats."""
    window = widget.window()
    parent = window.parentWidget()
    is_tool = window.windowType() == Qt.WindowType.Tool  # as Qt has it for floating docks
    return parent.window() if is_tool and parent is not None else window
