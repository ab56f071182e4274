"""Dialogs of the Fine-tune dock: the question before it closes, a run folder, the training log."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from weakref import ref

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QFontDatabase, QTextCursor
from qtpy.QtWidgets import (
    QDialog,
    QDockWidget,
    QFileDialog,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from smalltumor.training.runs.monitor import RunMonitor
from smalltumor.training.runs.status import RunState

from napari_smalltumor import notify, questions
from napari_smalltumor.closing.close_window import closing_of

_MAX_LOG_BYTES = 200_000
_CLOSE_BUTTON = "QTitleBarCloseButton"
"""Name of the button in napari's style sheets."""

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
        self._close_button: QPushButton | None = None
        self._is_settled = False
        # The window whose closing was not cancelled here; it must be able to die.
        self._closing: ref[QWidget] | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the dock is in a window that was closed and is not open again."""
        window = self._closing() if self._closing is not None else None
        return window is not None and window is main_window_of(self._dock) and window.isHidden()

    @property
    def is_settled(self) -> bool:
        """Whether the window is closing and the question has been answered or was needless."""
        return self._is_settled

    def attach(self) -> None:
        """Listen to the window that contains the dock now, and to the dock's own button *close*."""
        self._listen_to(_close_button_of(self._dock))
        window = main_window_of(self._dock)
        if window is self._window or window is self._dock or self.is_closed:
            return
        self.detach()
        self._window, self._is_settled, self._closing = window, False, None
        window.installEventFilter(self)

    def detach(self) -> None:
        """Stop listening to the window."""
        if self._window is not None:
            self._window.removeEventFilter(self)
            self._window = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Ask before the window or the dock closes; the user can cancel the closing."""
        if watched is self._close_button and event.type() == QEvent.Type.MouseButtonRelease:
            return self._cancels_removal()
        if (
            self._window is not None
            and watched is self._window
            and event.type() == QEvent.Type.Close
        ):
            closing = closing_of(self._window)
            if closing is not None and closing.handles(event):
                return True
            is_asked = closing is not None and closing.is_agreed
            if not is_asked and self._must_ask() and self._ask(can_cancel=True) is Answer.CANCEL:
                event.ignore()
                return True
            self._is_settled, self._closing = True, ref(self._window)
            self.detach()
        return bool(super().eventFilter(watched, event))

    def _cancels_removal(self) -> bool:
        """Ask before napari removes the dock; whether it must not do so."""
        cancelled = self._must_ask() and self._ask(can_cancel=True) is Answer.CANCEL
        if cancelled and self._close_button is not None:
            self._close_button.setDown(False)
        self._is_settled = not cancelled
        return cancelled

    def _listen_to(self, button: QPushButton | None) -> None:
        if button is not self._close_button:
            self._close_button = button
            if button is not None:
                button.installEventFilter(self)

    def confirm_removal(self) -> None:
        """Ask after the dock was removed from its window, unless that was asked before.

        That happens if a script removes it, and can then not be cancelled.
        """
        if not self._is_settled and self._must_ask():
            self._ask(can_cancel=False)

    def _ask(self, *, can_cancel: bool) -> Answer:
        answer = ask_before_closing(main_window_of(self._dock), can_cancel=can_cancel)
        self._is_settled = answer is not Answer.CANCEL
        if answer is Answer.STOP:
            self._stop()
        return answer


def _close_button_of(widget: QWidget) -> QPushButton | None:
    """The button of napari's title bar that removes a widget's dock; another closes the window."""
    dock = widget.parentWidget()
    while dock is not None and not isinstance(dock, QDockWidget):
        dock = dock.parentWidget()
    bar = dock.titleBarWidget() if dock is not None else None
    return bar.findChild(QPushButton, _CLOSE_BUTTON) if bar is not None else None


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


def ask_for_run(parent: QWidget, start: str) -> RunMonitor | None:
    """Ask for a run folder; None if there is no run in it, which is reported, or none is chosen."""
    chosen = QFileDialog.getExistingDirectory(parent, "Open a run folder", start)
    if not chosen:
        return None
    monitor = RunMonitor(Path(chosen))
    if monitor.poll().state is RunState.NONE:
        notify.error(f"{chosen} contains no training run.")
        return None
    return monitor


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
