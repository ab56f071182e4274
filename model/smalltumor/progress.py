"""Progress and cancellation of what takes long, such as the segmentation of a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smalltumor.errors import Cancelled

ProgressCallback = Callable[[float, str], None]
"""Called with the fraction done, from 0 to 1, and the name of the current step."""

CancelCallback = Callable[[], bool]
"""Called between steps; a true result cancels the run."""


class ProgressReporter:
    """Reports progress to the caller, and raises `Cancelled` when the caller cancels the run.

    Parameters
    ----------
    on_progress : callable, optional
    is_cancelled : callable, optional

    Notes
    -----
    The reported fraction never decreases, even if the run is repeated on another device.
    """

    def __init__(
        self,
        on_progress: ProgressCallback | None = None,
        is_cancelled: CancelCallback | None = None,
    ) -> None:
        self._on_progress = on_progress
        self._is_cancelled = is_cancelled
        self._first, self._last = 0.0, 1.0
        self._reported = 0.0

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` if the caller has cancelled the run."""
        if self._is_cancelled is not None and self._is_cancelled():
            raise Cancelled("cancelled")

    def update(self, fraction: float, text: str) -> None:
        """Report the fraction done of the current subrange.

        Parameters
        ----------
        fraction : float
            From 0 to 1; values outside are clipped.
        text : str
            Name of the current step.

        Raises
        ------
        Cancelled
        """
        self.raise_if_cancelled()
        done = self._first + (self._last - self._first) * min(max(fraction, 0.0), 1.0)
        self._reported = max(self._reported, done)
        if self._on_progress is not None:
            self._on_progress(self._reported, text)

    @contextmanager
    def subrange(self, first: float, last: float) -> Iterator[None]:
        """Map fractions reported within the block to [first, last] of the current subrange."""
        outer = self._first, self._last
        span = outer[1] - outer[0]
        self._first, self._last = outer[0] + span * first, outer[0] + span * last
        try:
            yield
        finally:
            self._first, self._last = outer
