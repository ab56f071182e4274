"""Tests of patients have no event loop."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QApplication


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """What waits for the event loop is done at once, also if tests with windows ran before."""
    monkeypatch.setattr(QApplication, "instance", lambda: None)
