"""A pause in which a window takes no keys and clicks."""

from __future__ import annotations

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer
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


class InputPause(QObject):
    """Drops the keys and clicks of a window until `end`; text fields and dialogs take theirs.

    Parameters
    ----------
    window : QMainWindow
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Drop a press."""
        if event.type() not in _PRESSES or not self._is_of_window(watched):
            return False
        event.accept()  # so that a key is no shortcut
        return True

    def end(self) -> None:
        """End the pause after the presses that have not reached the window yet."""
        if isalive(self):
            QTimer.singleShot(0, self.deleteLater)

    def _is_of_window(self, watched: QObject) -> bool:
        if not isinstance(watched, QWidget) or isinstance(watched, _TEXT_FIELDS):
            return False
        return bool(watched.window() is self.parent())
