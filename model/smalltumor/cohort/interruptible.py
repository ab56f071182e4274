"""Waits that Ctrl-C ends, and blocks in which it is handled otherwise."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")
Handler = Callable[[int, FrameType | None], Any]

_POLL_S = 0.1


def result_of(future: Future[Result]) -> Result:
    """As `Future.result`, which Ctrl-C may not end while it waits without a timeout.

    On Windows it never does; elsewhere a signal that comes just before the wait begins is noticed
    only after it, and what its handler raises is lost if Python is calling the destructor of an
    object. So signals are recorded, and handled between short waits.
    """
    arrived: list[int] = []
    try:
        with handlers_replaced(lambda number, frame: arrived.append(number)) as handlers:
            while wait([future], _POLL_S).not_done:
                while arrived:
                    _handle(arrived.pop(0), handlers)
    finally:
        for number in arrived:
            signal.raise_signal(number)
    return future.result()


def _handle(number: int, handlers: Mapping[int, Any]) -> None:
    handler = handlers[number]
    if callable(handler):
        handler(number, None)
    else:  # the system's own, which ends the process
        signal.signal(number, handler)
        signal.raise_signal(number)


@contextmanager
def handlers_replaced(handler: Handler) -> Iterator[Mapping[int, Any]]:
    """Handle SIGINT and SIGTERM by another function, and as before after the block.

    A signal that is ignored, as Ctrl-C by a command in the background of a script, stays so; so
    does a handler that is not of Python, which could not be set again.

    Yields
    ------
    mapping of int to handler
        The handlers before; none in another thread than the main one, which handles all signals.
    """
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        before = {n: known for n, known in found.items() if known not in (signal.SIG_IGN, None)}
    with ExitStack() as handlers:  # each is restored, also if a signal comes meanwhile
        for number, known in before.items():
            handlers.callback(signal.signal, number, known)
            signal.signal(number, handler)
        yield before
