"""Asks what shall become of a run when its dock or the window is closed."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMessageBox, QWidget


class Answer(Enum):
    """What the user wants."""

    LEAVE = "leave"
    STOP = "stop"
    STAY = "stay"


class ClosingQuestion(QObject):
    """Watches the window that a dock is in.

    Parameters
    ----------
    dock : QWidget
    is_running : callable
        Whether there is something to ask about.
    stop : callable
        Ends the run, and returns once it has ended.
    """

    def __init__(
        self, dock: QWidget, is_running: Callable[[], bool], stop: Callable[[], object]
    ) -> None:
        super().__init__(dock)
        self._dock, self._is_running, self._stop = dock, is_running, stop
        self._window: QWidget | None = None
        self._settled = False

    def watch(self) -> None:
        """Watch the window the dock is in now, instead of the one before."""
        window = main_window_of(self._dock)
        if window is self._window or window is self._dock:
            return
        self.let_go()
        self._window, self._settled = window, False
        window.installEventFilter(self)

    def let_go(self) -> None:
        """Watch no window."""
        if self._window is not None:
            self._window.removeEventFilter(self)
            self._window = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Ask before the window closes; the user may want it to stay."""
        if watched is self._window and event.type() == QEvent.Type.Close:
            if self._is_running() and self._settle(may_stay=True) is Answer.STAY:
                event.ignore()
                return True
            self.let_go()
        return bool(super().eventFilter(watched, event))

    def settle_if_open(self) -> None:
        """Ask when the dock has gone from its window, unless that was asked already."""
        if not self._settled and self._is_running():
            self._settle(may_stay=False)

    def _settle(self, *, may_stay: bool) -> Answer:
        answer = ask(main_window_of(self._dock), may_stay=may_stay)
        self._settled = answer is not Answer.STAY
        if answer is Answer.STOP:
            self._stop()
        return answer


def main_window_of(widget: QWidget) -> QWidget:
    """The window that a widget belongs to, also if its dock floats."""
    parent = widget.parentWidget()
    return widget if parent is None else main_window_of(parent)


def ask(parent: QWidget, *, may_stay: bool) -> Answer:
    """Let it train on, stop it, or stay.

    Parameters
    ----------
    parent : QWidget
    may_stay : bool
        Whether closing can still be given up.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Training goes on")
    box.setText("A network is being trained. Shall it go on without this window?")
    box.setInformativeText("The run can be opened again later from its folder, in either case.")
    leave = box.addButton("Let it train", QMessageBox.ButtonRole.AcceptRole)
    stop = box.addButton("Save and stop", QMessageBox.ButtonRole.DestructiveRole)
    if may_stay:
        box.setEscapeButton(box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole))
    else:
        box.setEscapeButton(leave)
    box.setDefaultButton(leave)
    box.exec_()
    clicked = box.clickedButton()
    return Answer.STOP if clicked is stop else Answer.LEAVE if clicked is leave else Answer.STAY
