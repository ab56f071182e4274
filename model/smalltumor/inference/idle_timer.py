"""Memory that is held for the next case, and given back once none has come for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable

IDLE_SECONDS = 30.0
"""How long memory of a run is held: to take it anew costs a third of a run."""


class IdleTimer:
    """The time between two runs, and what is to be done if it grows long."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def start(self, release: Callable[[], None]) -> None:
        """A run has ended; memory is to be released unless another comes soon."""
        with self._lock:
            self._stop()
            self._timer = threading.Timer(IDLE_SECONDS, release)
            self._timer.daemon = True
            self._timer.start()

    def cancel(self) -> None:
        """A run comes; a release that has begun is waited for."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            self._timer = None
