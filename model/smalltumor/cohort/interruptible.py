"""Waits that Ctrl-C ends."""

from __future__ import annotations

from concurrent.futures import Future, wait
from typing import TypeVar

Result = TypeVar("Result")

_POLL_S = 0.2


def result_of(future: Future[Result]) -> Result:
    """As `Future.result`, which Ctrl-C may not end while it waits without a timeout.

    On Windows it never does; elsewhere a signal that comes just before the wait begins is noticed
    only after it.
    """
    while wait([future], _POLL_S).not_done:
        pass
    return future.result()
