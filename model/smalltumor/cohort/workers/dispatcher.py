"""Which worker segments which case, and what becomes of cases whose worker was lost."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smalltumor.cohort.results.rows import CohortRow, failed

if TYPE_CHECKING:
    from smalltumor.cohort.pipeline.jobs import Job

MAX_WORKER_LOSSES = 2
"""Workers that a case may cost, alone on them, before it is given up."""


@dataclass
class _WorkerState:
    """What a worker is busy with.

    Parameters
    ----------
    jobs : dict
        Its cases, by name.
    since : float
        When it got its first case, or ended one.
    reserved : bool
        Whether it gets no other case beside the one that it has.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    since: float = 0.0
    reserved: bool = False


class Dispatcher:
    """Hands out cases, and blames none for the loss of a worker that had others too.

    A worker holds several cases, so that reading, network and writing overlap. If it is lost, each
    of them is tried again on a worker of its own, and only there it counts against the case.

    Parameters
    ----------
    jobs : iterable of Job
    timeout : float, optional
        Seconds without an ended case after which a worker hangs.
    """

    def __init__(self, jobs: Iterable[Job], timeout: float | None = None) -> None:
        self._fresh = deque(jobs)
        self._suspects: deque[Job] = deque()
        self._losses: Counter[str] = Counter()
        self._states: dict[str, _WorkerState] = {}
        self._timeout = timeout

    @property
    def done(self) -> bool:
        """Whether no case waits or is worked on."""
        return not (self._fresh or self._suspects or any(d.jobs for d in self._states.values()))

    def assign(self, workers: Mapping[str, int], now: float) -> list[tuple[str, Job]]:
        """Choose cases for workers that can take more.

        Parameters
        ----------
        workers : mapping of str to int
            How many cases each worker may hold, by its address.
        now : float
            Seconds of a monotonic clock.

        Returns
        -------
        list of (address, job)
        """
        chosen: list[tuple[str, Job]] = []
        for level in range(max(workers.values(), default=0)):
            for address, size in workers.items():
                state = self._states.setdefault(address, _WorkerState())
                if len(state.jobs) != level or level >= size or state.reserved:
                    continue
                job = self._next(alone=level == 0)
                if job is None:
                    continue
                if not state.jobs:
                    state.since = now
                state.reserved = self._is_suspect(job)
                state.jobs[job.name] = job
                chosen.append((address, job))
        return chosen

    def _next(self, *, alone: bool) -> Job | None:
        if alone and self._suspects:
            job = self._suspects.popleft()
            self._losses.setdefault(job.name, 0)
            return job
        return self._fresh.popleft() if self._fresh else None

    def _is_suspect(self, job: Job) -> bool:
        return job.name in self._losses

    def ended(self, address: str, case: str, now: float) -> None:
        """A worker has ended a case."""
        state = self._states[address]
        state.jobs.pop(case, None)
        state.since, state.reserved = now, False

    def hanging(self, now: float) -> list[str]:
        """Addresses of workers that ended no case for too long."""
        if self._timeout is None:
            return []
        return [a for a, d in self._states.items() if d.jobs and now - d.since > self._timeout]

    def lost(self, address: str, *, hung: bool = False) -> list[CohortRow]:
        """A worker is gone.

        Returns
        -------
        list of CohortRow
            The row of a case that is given up; cases that are tried again have none.
        """
        jobs = list(self._states.pop(address, _WorkerState()).jobs.values())
        if len(jobs) == 1:
            case = jobs[0].name
            self._losses[case] += 1
            if hung:
                return [failed(case, f"it took longer than {self._timeout:g} s and was ended")]
            if self._losses[case] >= MAX_WORKER_LOSSES:
                return [failed(case, f"{MAX_WORKER_LOSSES} workers crashed during it, {_CAUSES}")]
        self._suspects.extend(jobs)
        return []


_CAUSES = "from lack of memory or an error in a library"
