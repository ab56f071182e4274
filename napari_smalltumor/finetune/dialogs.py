"""Dialogs of the Fine-tune dock: the question before it closes, and the training log."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QFontDatabase, QTextCursor
from qtpy.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

from napari_smalltumor import questions

_MAX_LOG_BYTES = 200_000
_LOG_SIZE = (760, 420)


class Answer(Enum):
    """What to do when the dock or its window closes during training."""

    KEEP_TRAINING = "keep training"
    STOP = "stop"
    CANCEL = "cancel"


class CloseConfirmation(QObject):
    """Asks what to do with a run in progress before its dock or window closes.

    Parameters
    ----------
    dock : QWidget
    must_ask : callable
        Whether a run is in progress that the user has to decide about.
    stop : callable
        Saves and stops the run, and returns when it has ended.
    """

    def __init__(
        self, dock: QWidget, must_ask: Callable[[], bool], stop: Callable[[], object]
    ) -> None:
        super().__init__(dock)
        self._dock, self._must_ask, self._stop = dock, must_ask, stop
        self._window: QWidget | None = None
        self._is_settled = False

    @property
    def is_settled(self) -> bool:
        """Whether the window is closing and the question has been answered or was needless."""
        return self._is_settled

    def attach(self) -> None:
        """Listen to the window that contains the dock now."""
        window = main_window_of(self._dock)
        if window is self._window or window is self._dock:
            return
        self.detach()
        self._window, self._is_settled = window, False
        window.installEventFilter(self)

    def detach(self) -> None:
        """Stop listening to the window."""
        if self._window is not None:
            self._window.removeEventFilter(self)
            self._window = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Ask before the window closes; the user can cancel the closing."""
        if watched is self._window and event.type() == QEvent.Type.Close:
            if self._must_ask() and self._ask(can_cancel=True) is Answer.CANCEL:
                event.ignore()
                return True
            self.detach()
            self._is_settled = True
        return bool(super().eventFilter(watched, event))

    def confirm_removal(self) -> None:
        """Ask after the dock was removed from its window, unless the window has asked already."""
        if not self._is_settled and self._must_ask():
            self._ask(can_cancel=False)

    def _ask(self, *, can_cancel: bool) -> Answer:
        answer = ask_before_closing(main_window_of(self._dock), can_cancel=can_cancel)
        self._is_settled = answer is not Answer.CANCEL
        if answer is Answer.STOP:
            self._stop()
        return answer


def main_window_of(widget: QWidget) -> QWidget:
    """The top-level window of a widget, also if its dock floats."""
    parent = widget.parentWidget()
    return widget if parent is None else main_window_of(parent)


def ask_before_closing(parent: QWidget, *, can_cancel: bool) -> Answer:
    """Ask whether training continues, stops, or the window stays open.

    Parameters
    ----------
    parent : QWidget
    can_cancel : bool
        Whether closing can still be cancelled.
    """
    answers = {"Continue training": Answer.KEEP_TRAINING, "Save and stop": Answer.STOP}
    if can_cancel:
        answers["Cancel"] = Answer.CANCEL
    answer = questions.ask(
        parent,
        "Training is running",
        "A network is being trained. Continue training in the background?\n\nYou can open the run "
        "again later from its folder in either case.",
        *answers,
        harmless="Cancel" if can_cancel else "Continue training",
    )
    return answers[answer]


def show_log(path: Path, parent: QWidget) -> QDialog:
    """Show the end of a log file as text that can be selected and copied."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(str(path))
    dialog.resize(*_LOG_SIZE)
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
            file.seek(max(0, file.seek(0, 2) - _MAX_LOG_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return f"{path} does not exist. A run that was started in a terminal has no log file."
    except OSError as error:
        return f"{path} could not be read: {error.strerror or error}."
