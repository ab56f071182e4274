"""Tests of patients have no event loop."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def nothing_waits(at_once):
    """Do at once what waits for the event loop."""
