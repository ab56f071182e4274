"""Calls that wait: until napari has ended what it is doing with its layers, or for some time."""

from __future__ import annotations

from collections.abc import Callable


def later(milliseconds: int, call: Callable[[], None]) -> None:
    """Call a function after some time; never without an application."""
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    if QApplication.instance() is not None:
        QTimer.singleShot(milliseconds, call)


def when_idle(call: Callable[[], None]) -> None:
    """Call a function in the next turn of the event loop; at once without an application."""
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    if QApplication.instance() is None:
        call()
    else:
        QTimer.singleShot(0, call)
