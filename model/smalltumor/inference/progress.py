"""Progress and cancellation of a long run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smalltumor.errors import Cancelled

Progress = Callable[[float, str], None]
"""Called with the fraction done, from 0 to 1, and a word for the step."""

Cancel = Callable[[], bool]
"""Called between steps; true stops the run."""


class Watch:
    """Tells the caller how far a run is, and the run when the caller wants it to stop.

    Parameters
    ----------
    progress : callable, optional
    cancelled : callable, optional

    Notes
    -----
    The fraction never falls, also where a run starts again on another device.
    """

    def __init__(self, progress: Progress | None = None, cancelled: Cancel | None = None) -> None:
        self._progress = progress
        self._cancelled = cancelled
        self._first, self._last = 0.0, 1.0
        self._shown = 0.0

    def check(self) -> None:
        """Raise `Cancelled` if the caller wants to stop."""
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("cancelled")

    def step(self, fraction: float, word: str) -> None:
        """Note that this fraction of the current part is done; raise `Cancelled` if asked to."""
        self.check()
        done = self._first + (self._last - self._first) * min(max(fraction, 0.0), 1.0)
        self._shown = max(self._shown, done)
        if self._progress is not None:
            self._progress(self._shown, word)

    @contextmanager
    def part(self, first: float, last: float) -> Iterator[None]:
        """Within the block, fractions count from `first` to `last` of the part around it."""
        outer = self._first, self._last
        span = outer[1] - outer[0]
        self._first, self._last = outer[0] + span * first, outer[0] + span * last
        try:
            yield
        finally:
            self._first, self._last = outer
