"""Calls that wait until napari has ended what it is doing with its layers."""

from __future__ import annotations

from collections.abc import Callable


def when_idle(call: Callable[[], None]) -> None:
    """Call a function in the next turn of the event loop; at once without an application."""
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    if QApplication.instance() is None:
        call()
    else:
        QTimer.singleShot(0, call)
