"""The Fine-tune docks of all windows: when the last one that shows a run closes, it asks."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from qtpy.compat import isalive
from qtpy.QtWidgets import QWidget

from napari_smalltumor.finetune.dialogs import CloseConfirmation, main_window_of


class RunDock(Protocol):
    """A dock that shows a run and asks before it closes."""

    close_confirmation: CloseConfirmation

    @property
    def run(self) -> Path | None:
        """The run folder that is shown."""


_OPEN: WeakSet[RunDock] = WeakSet()
"""A dock that was deleted with its window stays here until nothing refers to it any more."""


def add(dock: RunDock) -> None:
    """Note that a dock is open."""
    _OPEN.add(dock)


def discard(dock: RunDock) -> None:
    """Note that a dock was closed."""
    _OPEN.discard(dock)


def another_asks(dock: RunDock) -> bool:
    """Whether another dock shows the same run, so that this one need not ask about it."""
    return any(
        _asks_instead(other, dock)
        for other in _OPEN
        if other is not dock and isalive(other) and other.run == dock.run
    )


def _asks_instead(other: RunDock, dock: RunDock) -> bool:
    """Whether `dock` needs no question, as `other` will ask or has asked."""
    assert isinstance(other, QWidget) and isinstance(dock, QWidget)
    if main_window_of(dock) is main_window_of(other):
        return other.close_confirmation.is_settled
    return not other.close_confirmation.is_closed
