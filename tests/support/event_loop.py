"""What waits for the event loop, or for a worker, has its turn, however slow the machine is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QThreadPool, QTimer

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

TURNS = 20


def let_turns_pass(qtbot: QtBot) -> None:
    """Let calls for the next turn of the event loop be made, and those that follow from them.

    A wait of some milliseconds may end before them on a slow machine.
    """
    passed: list[bool] = []
    timer = QTimer()
    timer.timeout.connect(lambda: passed.append(True))
    timer.start(1)  # fires once in each turn; a worker is started a millisecond later, too
    qtbot.waitUntil(lambda: len(passed) >= TURNS)
    timer.stop()


def let_workers_end(qtbot: QtBot) -> None:
    """Wait until no worker runs, and what they have returned has arrived in the window."""
    let_turns_pass(qtbot)
    pool = QThreadPool.globalInstance()
    assert pool is not None
    qtbot.waitUntil(lambda: pool.activeThreadCount() == 0)
    let_turns_pass(qtbot)
