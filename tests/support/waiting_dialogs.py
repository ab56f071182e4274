"""Dialogs that nobody answers: a test that opens one would wait for ever."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QDialog, QLabel, QMessageBox, QWidget

INTERVAL_MS = 1000
PATIENCE = 30
"""After how many intervals a modal dialog is closed."""


class WaitingDialogs:
    """Closes modal dialogs that stay open, and records their texts.

    Parameters
    ----------
    patience : int
        After how many looks at the same dialog it is closed.
    """

    def __init__(self, patience: int = PATIENCE) -> None:
        self.texts: list[str] = []
        self._patience, self._looks = patience, 0
        self._dialog: QWidget | None = None
        self._timer = QTimer()
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Count the looks at the dialog that is open now, and close it when patience ends."""
        dialog = QApplication.activeModalWidget()
        self._looks = self._looks + 1 if dialog is not None and dialog is self._dialog else 0
        self._dialog = dialog
        if dialog is not None and self._looks >= self._patience:
            self.texts.append(text_of(dialog))
            close: Callable[[], object] = (
                dialog.reject if isinstance(dialog, QDialog) else dialog.close
            )
            close()

    def stop(self) -> None:
        """Look no longer."""
        self._timer.stop()


def text_of(dialog: QWidget) -> str:
    """The title of a dialog and what it says."""
    said = (
        [dialog.text()]
        if isinstance(dialog, QMessageBox)
        else [label.text() for label in dialog.findChildren(QLabel)]
    )
    return " | ".join([dialog.windowTitle(), *filter(None, said)])
