"""Fixtures of the tests that open files in a window."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QTimer

from napari_smalltumor.loading.labels import schemes as label_schemes


@pytest.fixture
def in_loop(qtbot):
    """Function that calls another one in the running event loop, as a drop does."""

    def call(function, *arguments, **options) -> None:
        done: list[bool] = []
        QTimer.singleShot(0, lambda: done.append(bool(function(*arguments, **options)) or True))
        qtbot.waitUntil(lambda: bool(done))

    return call


@pytest.fixture(autouse=True)
def numbers_are_kept(monkeypatch):
    """Choose no label scheme where a window would ask for one."""
    monkeypatch.setattr(label_schemes, "ask_scheme", lambda parent, file, choices: None)
