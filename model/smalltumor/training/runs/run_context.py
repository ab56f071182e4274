"""What all parts of a run share: its folder, its processes, who is told, and when it is saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smalltumor.training.optimisation.distributed import Processes
from smalltumor.training.runs.run_folder import RunFolder

Log = Callable[[str], None]
"""Receives one line of text."""


def warning_through(log: Log) -> Log:
    """A function that reports a warning as a line of text."""
    return lambda message: log(f"warning: {message}")


def silent(line: str) -> None:
    """A `Log` that reports nothing."""


@dataclass(frozen=True)
class RunContext:
    """A run in this process, which may be one of several; process 0 writes and reports alone.

    Parameters
    ----------
    run : RunFolder
    processes : Processes
    log : callable
        Receives one line of text at a time.
    warn : callable
        Receives each reason to doubt a case.
    save_seconds : float
        Least time between two saved states.
    """

    run: RunFolder
    processes: Processes
    log: Log = silent
    warn: Log = silent
    save_seconds: float = 60.0

    @classmethod
    def of(
        cls, run: RunFolder, processes: Processes, log: Log, warn: Log, save_seconds: float
    ) -> RunContext:
        """The context of a process, which is silent unless it is process 0."""
        if not processes.is_main:
            log = warn = silent
        return cls(run, processes, log, warn, save_seconds)

    def append(self, event: str, step: int, **values: Any) -> None:
        """Append an event to those of the run folder, in process 0."""
        if self.processes.is_main:
            self.run.append(event, step, **values)
