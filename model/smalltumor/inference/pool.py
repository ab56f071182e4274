"""Networks and buffers that runs borrow, and that stay in memory for the next run.

Each run borrows for itself alone, so two runs at once share nothing that changes. What was returned
last stays for the next run. If none comes for `IDLE_SECONDS`, its memory is released; only what
nobody has borrowed is ever released.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

import numpy as np

from smalltumor.geometry.array_order import Array, Shape, reverse_axes

IDLE_SECONDS = 30.0
"""How long memory is kept for the next run; allocating it again takes a third of a run."""


class Releasable(Protocol):
    """Something whose memory can be released, and that can be used again afterwards."""

    def release_memory(self) -> None:
        """Give memory back to the system."""
        ...


T = TypeVar("T", bound=Releasable)


class Pool(Generic[T]):
    """Lends objects to one run at a time, and keeps the one that was returned last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[Hashable, T] | None = None
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
        """Drop the object that is kept."""
        with self._lock:
            self._timer.cancel()
            self._kept = None

    def _take(self, key: Hashable) -> T | None:
        with self._lock:
            self._timer.cancel()
            # An object of another key is dropped before the new one takes its memory.
            kept, self._kept = self._kept, None
            return kept[1] if kept is not None and kept[0] == key else None

    def _return(self, key: Hashable, borrowed: T) -> None:
        with self._lock:
            self._kept = key, borrowed
            self._timer.start(lambda: self._release(borrowed))

    def _release(self, idle: T) -> None:
        with self._lock:
            # A run may have borrowed it between the timer's end and this line.
            if self._kept is not None and self._kept[1] is idle:
                idle.release_memory()


class IdleTimer:
    """Calls a function after `IDLE_SECONDS`, unless it is cancelled or started again.

    It is not locked: its owner calls it under a lock of its own.
    """

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def start(self, function: Callable[[], None]) -> None:
        """Start counting from zero."""
        self.cancel()
        self._timer = threading.Timer(IDLE_SECONDS, function)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """Stop counting; a function that is running already is not waited for."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Buffer:
    """Memory for the network's input; it grows to the largest array that was asked for.

    An array of four modalities is too large for the allocator to keep. A new one comes from the
    system page by page, which on a virtual machine can take twice as long as normalising into it.
    """

    def __init__(self) -> None:
        self._numbers = np.empty(0, dtype=np.float32)

    def array(self, shape: Shape) -> Array:
        """An array (channel, l, p, s) in Fortran order; its values are not initialised."""
        size = math.prod(shape)
        if self._numbers.size < size:
            self.release_memory()  # before more is allocated
            self._numbers = np.empty(size, dtype=np.float32)
        channels, i, j, k = shape
        return reverse_axes(self._numbers[:size].reshape(channels, k, j, i))

    def release_memory(self) -> None:
        """See `Releasable`."""
        self._numbers = np.empty(0, dtype=np.float32)


input_buffers: Pool[Buffer] = Pool()
"""Buffers for the network's input."""
