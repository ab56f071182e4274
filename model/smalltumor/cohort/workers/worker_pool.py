"""The workers of a Dask cluster as they come and go, and the cases they hold.

Dask would try a task again by itself wherever its worker is lost, and blame every task that the
worker held. Here each case is sent to a worker by name, so that `Dispatcher` decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from distributed import Client, Future
from distributed.scheduler import KilledWorker

from smalltumor.cohort.pipeline.pipeline import DEPTH
from smalltumor.cohort.workers.dispatcher import Dispatcher
from smalltumor.cohort.workers.worker import NotReadyError, WorkerSetup, segment_case, start_worker
from smalltumor.errors import SmalltumorError

if TYPE_CHECKING:
    from smalltumor.cohort.pipeline.jobs import Job
    from smalltumor.cohort.results.rows import CohortRow

_POLL_INTERVAL = 0.5
"""Seconds between looks at which workers there are."""

_RESULT_TIMEOUT = 2.0
"""Seconds until it is doubted that a worker still has a result."""

_RESTART_TIMEOUT = 20.0
"""Seconds until a worker of this machine is given up, and another one started."""

_RESTART_RETRIES = 3
"""How often that is tried if no worker is left."""

_WAITING_SECONDS = 10.0
"""Seconds without a worker on other machines after which the user is told."""

_START_ATTEMPTS = 5
"""Workers that may be lost in a row while they get ready."""


class _Lost:
    """In place of a result: it is lost with its worker."""


class WorkerPool:
    """Workers that segment the cases of one run.

    Parameters
    ----------
    client : Client
    setup : WorkerSetup
    sharing : int
        Number of workers that share this machine; 0 if they are on others.
    report : callable
        Called with what the user should know.
    restart : callable
        Starts workers in place of those of this machine that Dask has given up.
    """

    def __init__(
        self,
        client: Client,
        setup: WorkerSetup,
        sharing: int,
        report: Callable[[str], None],
        restart: Callable[[], object] = object,
    ) -> None:
        self._client, self._setup, self._sharing, self._report = client, setup, sharing, report
        self._events: SimpleQueue[Future] = SimpleQueue()
        self._preparing: dict[str, Future] = {}
        self._ready: dict[str, int] = {}
        self._refused: dict[str, str] = {}
        self._sent: dict[str, tuple[str, str, Future]] = {}
        self._lost_in_a_row = 0
        self._restart = restart
        self._complete_at = self._present_at = time.monotonic()
        self._restarts, self._waiting = 0, False

    def rows(self, jobs: Iterable[Job], timeout: float | None = None) -> Iterator[CohortRow]:
        """Segment cases; the rows come as cases end.

        Raises
        ------
        OutputError
            If results cannot be written.
        SmalltumorError
            If the scheduler is lost, or no worker can segment the cases.
        """
        dispatcher = Dispatcher(jobs, timeout)
        try:
            while not dispatcher.done:
                yield from self._look_for_workers(dispatcher)
                for address, job in dispatcher.assign(self._ready, time.monotonic()):
                    self._send(address, job)
                yield from self._receive(dispatcher)
                for address in dispatcher.hanging(time.monotonic()):
                    yield from self._end(address, dispatcher)
        except OSError as error:
            raise SmalltumorError(
                "the scheduler is lost; start the same command again to continue"
            ) from error
        finally:
            self._forget(list(self._sent))

    def _look_for_workers(self, dispatcher: Dispatcher) -> Iterator[CohortRow]:
        present: Mapping[str, int] = self._client.nthreads()
        self._replace_lost(len(present))
        self._tell_of_waiting(bool(present))
        for address in [*self._ready]:
            if address not in present:
                yield from self._lose(address, dispatcher)
        for address in [a for a in self._preparing if a not in present]:
            self._lose_at_start(address)
        for address in present:
            if address not in {*self._preparing, *self._ready, *self._refused}:
                self._prepare(address)
        if present and set(present) <= set(self._refused):
            address, why = next((a, self._refused[a]) for a in present)
            raise SmalltumorError(f"no worker can segment these cases; {address}: {why}")

    def _replace_lost(self, present: int) -> None:
        """Dask replaces a worker that is lost, but not one that is lost while it starts."""
        now = time.monotonic()
        if present >= self._sharing:
            self._complete_at = now
        elif now - self._complete_at > _RESTART_TIMEOUT:
            self._complete_at = now
            self._restarts = 0 if present else self._restarts + 1
            if self._restarts > _RESTART_RETRIES:
                raise SmalltumorError("the workers ended, and no other can be started")
            self._restart()

    def _tell_of_waiting(self, present: bool) -> None:
        """A cluster that scales by its tasks starts no worker here, since none is sent before."""
        now = time.monotonic()
        if present:
            self._present_at, self._waiting = now, False
        elif not (self._sharing or self._waiting) and now - self._present_at > _WAITING_SECONDS:
            self._waiting = True
            self._report(
                "the cluster has no worker, so this waits for one; a cluster that scales by itself "
                "needs a minimum of one worker"
            )

    def _prepare(self, address: str) -> None:
        self._preparing[address] = self._submit(address, start_worker, self._setup, self._sharing)

    def _send(self, address: str, job: Job) -> None:
        future = self._submit(address, segment_case, self._setup.run, job)
        self._sent[future.key] = address, job.name, future

    def _submit(self, address: str, function: Callable[..., Any], *arguments: Any) -> Future:
        future = self._client.submit(function, *arguments, workers=[address], pure=False)
        future.add_done_callback(self._events.put)
        return future

    def _receive(self, dispatcher: Dispatcher) -> Iterator[CohortRow]:
        """What has happened since, or within the next moment."""
        try:
            event = self._events.get(timeout=_POLL_INTERVAL)
            while True:
                yield from self._handle(event, dispatcher)
                event = self._events.get_nowait()
        except Empty:
            return

    def _handle(self, future: Future, dispatcher: Dispatcher) -> Iterator[CohortRow]:
        if future.key in self._sent:
            yield from self._handle_case(future, dispatcher)
            return
        for address, preparing in list(self._preparing.items()):
            if preparing.key == future.key:
                self._handle_start(address, future)

    def _handle_case(self, future: Future, dispatcher: Dispatcher) -> Iterator[CohortRow]:
        address, case, _ = self._sent[future.key]
        row = self._result(future, address)
        if isinstance(row, _Lost):
            yield from self._lose(address, dispatcher)
            return
        del self._sent[future.key]
        self._lost_in_a_row = 0  # a case has ended
        dispatcher.ended(address, case, time.monotonic())
        yield row

    def _handle_start(self, address: str, future: Future) -> None:
        why = self._result(future, address)
        if isinstance(why, _Lost):
            self._lose_at_start(address)
            return
        del self._preparing[address]
        if why is None:
            threads: int = self._client.nthreads(workers=[address]).get(address, 1)
            self._ready[address] = min(DEPTH, threads)
        else:
            self._refused[address] = why
            self._report(f"the worker {address} is not used: {why}")

    def _result(self, future: Future, address: str) -> Any:
        """The result of a task, which its worker may take with it when it ends."""
        while not _was_lost(future):
            try:
                return future.result(timeout=_RESULT_TIMEOUT)
            except TimeoutError:
                if address not in self._client.nthreads():
                    break
        return _Lost()

    def _lose(
        self, address: str, dispatcher: Dispatcher, *, hung: bool = False
    ) -> Iterator[CohortRow]:
        self._ready.pop(address, None)
        self._forget([key for key, sent in self._sent.items() if sent[0] == address])
        yield from dispatcher.lost(address, hung=hung)

    def _lose_at_start(self, address: str) -> None:
        self._preparing.pop(address)
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= _START_ATTEMPTS:
            raise SmalltumorError(
                f"{_START_ATTEMPTS} workers in a row ended before they segmented a case"
            )

    def _end(self, address: str, dispatcher: Dispatcher) -> Iterator[CohortRow]:
        """End a worker that hangs; its nanny starts another."""
        yield from self._lose(address, dispatcher, hung=True)
        try:
            self._client.restart_workers([address], timeout=60, raise_for_error=False)
        except ValueError:  # it has no nanny
            self._refused[address] = "it hangs, and cannot be ended from here"
            self._report(f"the worker {address} is no longer used: {self._refused[address]}")

    def _forget(self, keys: Iterable[str]) -> None:
        futures = [self._sent.pop(key)[2] for key in keys]
        if futures and self._client.status == "running":
            self._client.cancel(futures)


def _was_lost(future: Future) -> bool:
    if future.status in ("cancelled", "lost"):
        return True
    return future.status == "error" and isinstance(future.exception(), KilledWorker | NotReadyError)
