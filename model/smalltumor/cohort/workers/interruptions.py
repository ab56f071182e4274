"""Interruptions while workers are started, and while their scheduler is connected."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from smalltumor.cohort.interruptible import handlers_replaced

Result = TypeVar("Result")


@contextmanager
def deferred_interruptions() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block has ended; a second one ends it at once.

    Dask can close neither a cluster whose workers are starting nor a client that is connecting. A
    signal that waited is then handled as
    it would have been without this; one that is ignored, as Ctrl-C by a command in the background
    of a script, stays so.

    Raises
    ------
    KeyboardInterrupt
        By the second signal.
    """
    arrived: list[int] = []

    def defer(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        if len(arrived) > 1:
            raise KeyboardInterrupt

    with handlers_replaced(defer):
        yield
    for waited in arrived:
        signal.raise_signal(waited)


def started_with_sigint_blocked(function: Callable[[], Result]) -> Future[Result]:
    """Start a function that starts or ends processes, which never get Ctrl-C.

    A terminal sends it to all processes, and the first one handles it; a process that imports its
    modules would print where it was. The function runs in another thread, whose signal mask they
    inherit, so that the calling one can be interrupted while it waits for the result.
    """
    future: Future[Result] = Future()
    blocks = hasattr(signal, "pthread_sigmask")  # not on Windows
    if blocks:
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # else the first process that is started undoes the mask

    def call() -> None:
        if blocks:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return future
