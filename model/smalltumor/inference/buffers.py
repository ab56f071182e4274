"""Memory for the network's input, lent to one case after the other.

An array of four modalities is too large for the allocator to keep: each new one comes from the
system page by page, which on a virtual machine can take twice as long as normalising into it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from smalltumor.geometry.array_order import Array, Shape, reverse_axes
from smalltumor.inference.idle_timer import IdleTimer


class Buffer:
    """Memory that grows to the largest array it was asked for."""

    def __init__(self) -> None:
        self._numbers = np.empty(0, dtype=np.float32)

    def array(self, shape: Shape) -> Array:
        """An array (channel, l, p, s) in file order, of whatever numbers were left in it."""
        size = math.prod(shape)
        if self._numbers.size < size:
            self._numbers = np.empty(0, dtype=np.float32)  # let go before more is taken
            self._numbers = np.empty(size, dtype=np.float32)
        channels, i, j, k = shape
        return reverse_axes(self._numbers[:size].reshape(channels, k, j, i))


_kept: deque[Buffer] = deque(maxlen=1)
_idle = IdleTimer()


@contextmanager
def borrow_buffer() -> Iterator[Buffer]:
    """A room that nothing else uses meanwhile; what lies in it is lost afterwards."""
    _idle.cancel()
    try:
        room = _kept.pop()
    except IndexError:
        room = Buffer()
    try:
        yield room
    finally:
        _kept.append(room)
        _idle.start(_kept.clear)
