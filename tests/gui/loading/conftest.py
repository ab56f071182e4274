"""Fixtures of the tests that open files in a window."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QTimer


@pytest.fixture
def in_loop(qtbot):
    """Function that calls another one in the running event loop, as a drop does."""

    def call(function, *arguments, **options) -> None:
        done: list[bool] = []
        QTimer.singleShot(0, lambda: done.append(bool(function(*arguments, **options)) or True))
        qtbot.waitUntil(lambda: bool(done))

    return call
