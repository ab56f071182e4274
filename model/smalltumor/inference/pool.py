"""Pools of networks, which runs borrow and return.

A borrowed object belongs to one run, so simultaneous runs share no mutable state. The object that
was returned last is cached for the next run. After `IDLE_SECONDS` without a run, the memory of the
cached object is released; borrowed objects are never released.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

IDLE_SECONDS = 30.0
"""Time after which the memory of a cached object is released. Allocating it again takes a third of
the time of a run."""


class Releasable(Protocol):
    """An object whose memory can be released; it remains usable and allocates memory again."""

    def release_memory(self) -> None:
        """Return memory to the system."""
        ...


T = TypeVar("T", bound=Releasable)


class Pool(Generic[T]):
    """Lends each object to one run at a time, and caches the one that was returned last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cached: tuple[Hashable, T] | None = None
        self._timer = IdleTimer()

    @contextmanager
    def borrow(self, key: Hashable, create: Callable[[], T]) -> Iterator[T]:
        """Lend an object for the duration of the block.

        Parameters
        ----------
        key : hashable
            Objects of the same key are interchangeable.
        create : callable
            Creates the object if none of this key is in the pool.
        """
        borrowed = self._take(key)
        if borrowed is None:
            borrowed = create()
        try:
            yield borrowed
        finally:
            self._return(key, borrowed)

    def clear(self) -> None:
        """Delete the cached object."""
        with self._lock:
            self._timer.cancel()
            self._cached = None

    def _take(self, key: Hashable) -> T | None:
        with self._lock:
            self._timer.cancel()
            # An object of another key is deleted, to free its memory before a new one is created.
            cached, self._cached = self._cached, None
            return cached[1] if cached is not None and cached[0] == key else None

    def _return(self, key: Hashable, borrowed: T) -> None:
        with self._lock:
            self._cached = key, borrowed
            self._timer.start(lambda: self._release(borrowed))

    def _release(self, idle: T) -> None:
        with self._lock:
            # A run may have borrowed it after the timer ran out.
            if self._cached is not None and self._cached[1] is idle:
                idle.release_memory()


class IdleTimer:
    """Calls a function after `IDLE_SECONDS`, unless it is cancelled or started again.

    It is not thread-safe: callers hold a lock of their own.
    """

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None
        self._due: list[Callable[[], None]] = []

    def start(self, function: Callable[[], None]) -> None:
        """Start or restart the timer."""
        self.cancel()
        self._due = [function]
        self._timer = threading.Timer(IDLE_SECONDS, _call, (self._due,))
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """Cancel the timer; does not wait for a function that is already running."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due.clear()  # the thread takes a moment to end, and must not keep its object alive


def _call(functions: list[Callable[[], None]]) -> None:
    for function in tuple(functions):
        function()
