"""Interruptions while the workers of this machine are started."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def deferred_interruptions() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block has ended.

    Dask cannot close a cluster whose workers are starting. Threads and processes that are started
    meanwhile never get Ctrl-C, which a terminal sends to all of them and the first one handles; a
    process that imports its modules would print where it was.

    Raises
    ------
    KeyboardInterrupt
        At the end, if there was one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are handled in the main thread
        return
    arrived: list[int] = []
    handlers = {
        number: signal.signal(number, lambda signum, frame: arrived.append(signum))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with _not_inherited():
            yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if arrived:
        raise KeyboardInterrupt


@contextmanager
def _not_inherited() -> Iterator[None]:
    """Start threads and processes that do not get Ctrl-C."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # else the first process that is started undoes the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
