"""Calls that wait: until napari has ended what it is doing with its layers, or for some time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from qtpy.QtCore import QObject

_P = ParamSpec("_P")

_RETRY_MS = 50


def later(milliseconds: int, call: Callable[[], None]) -> None:
    """Call a function after some time; never without an application."""
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    if QApplication.instance() is not None:
        QTimer.singleShot(milliseconds, call)


def in_next_turn(call: Callable[[], None]) -> None:
    """Call a function in the next turn of the event loop; at once without an application."""
    from qtpy.QtWidgets import QApplication

    if QApplication.instance() is None:
        call()
    else:
        later(0, call)


def when_idle(call: Callable[[], None]) -> None:
    """Call a function in the next turn of the event loop in which no dialog or menu is open.

    What a dialog or the menu of napari's layer list is about stays as it is. Without an
    application the function is called at once.
    """
    in_next_turn(partial(_without_dialog, call))


def once_idle(owner: QObject, call: Callable[_P, None]) -> Callable[_P, None]:
    """A function that calls another one when no dialog or menu is open, at once if none is.

    For results that change layers or ask something. Nothing is called after the deletion of the
    owner.
    """
    from qtpy.compat import isalive

    from napari_smalltumor.questions import dialog_is_open

    def wait_and_call(*arguments: _P.args, **named: _P.kwargs) -> None:
        if not isalive(owner):
            return
        if dialog_is_open():
            later(_RETRY_MS, partial(wait_and_call, *arguments, **named))
        else:
            call(*arguments, **named)

    return wait_and_call


def _without_dialog(call: Callable[[], None]) -> None:
    from qtpy.QtWidgets import QApplication

    from napari_smalltumor.questions import dialog_is_open

    if QApplication.instance() is not None and dialog_is_open():
        later(_RETRY_MS, partial(_without_dialog, call))
    else:
        call()
