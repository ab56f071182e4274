"""Where the cases of a cohort are segmented: in this process, or in others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _silent(sentence: str) -> None:
    pass


@dataclass(frozen=True)
class Workers:
    """Processes that segment cases; all of them in this process by default.

    Parameters
    ----------
    count : int, optional
        Number of processes on this machine.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://host:8786``, whose workers are used instead.
    timeout : float, optional
        Seconds after which a worker that ended no case is ended itself, and the case it was busy
        with has failed. It needs a process that can be ended, so there is one if no other is asked
        for.
    report : callable
        Called with what the user should know, a sentence each.
    """

    count: int | None = None
    scheduler: str | None = None
    timeout: float | None = None
    report: Callable[[str], None] = _silent

    @property
    def are_processes(self) -> bool:
        """Whether cases are segmented in other processes."""
        return (self.count, self.scheduler, self.timeout) != (None, None, None)


THIS_PROCESS = Workers()
