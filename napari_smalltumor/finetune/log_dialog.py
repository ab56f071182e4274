"""The training process's log in a window of its own."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtGui import QFontDatabase, QTextCursor
from qtpy.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

_MOST_BYTES = 200_000
_SIZE = (760, 420)


def show_log(path: Path, parent: QWidget) -> QDialog:
    """Show the end of a log file, which can be selected and copied."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(str(path))
    dialog.resize(*_SIZE)
    text = QPlainTextEdit(_end_of(path))
    text.setReadOnly(True)
    text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    text.moveCursor(QTextCursor.MoveOperation.End)
    text.moveCursor(QTextCursor.MoveOperation.StartOfLine)
    QVBoxLayout(dialog).addWidget(text)
    dialog.show()
    return dialog


def _end_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _MOST_BYTES))
            return file.read().decode(errors="replace")
    except OSError as error:
        return f"{path} cannot be read: {error.strerror or error}. A run started by hand has none."
