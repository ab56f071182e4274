"""Waits that Ctrl-C ends."""

from __future__ import annotations

from concurrent.futures import Future, wait
from typing import TypeVar

Result = TypeVar("Result")

_POLL_S = 0.2


def result_of(future: Future[Result]) -> Result:
    """As `Future.result`, which Ctrl-C does not end on Windows while it waits without a timeout."""
    while wait([future], _POLL_S).not_done:
        pass
    return future.result()
