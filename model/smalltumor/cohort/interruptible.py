"""Waits that Ctrl-C ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

Result = TypeVar("Result")

_POLL_S = 0.1


def result_of(future: Future[Result]) -> Result:
    """As `Future.result`, which Ctrl-C may not end while it waits without a timeout.

    On Windows it never does; elsewhere a signal that comes just before the wait begins is noticed
    only after it, and what its handler raises is lost if Python is calling the destructor of an
    object. So signals are recorded, and handled between short waits.
    """
    with _recorded_signals() as handle_signals:
        while wait([future], _POLL_S).not_done:
            handle_signals()
    return future.result()


@contextmanager
def _recorded_signals() -> Iterator[Callable[[], None]]:
    """Keep SIGINT and SIGTERM from their handlers; the function that is yielded calls these."""
    recorded: list[tuple[int, FrameType | None]] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # it alone handles signals
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        handlers = {number: handler for number, handler in before.items() if callable(handler)}

    def record(number: int, frame: FrameType | None) -> None:
        recorded.append((number, frame))

    def handle() -> None:
        while recorded:
            number, frame = recorded.pop(0)
            handlers[signal.Signals(number)](number, frame)

    try:
        for number in handlers:
            signal.signal(number, record)
        yield handle
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    handle()
