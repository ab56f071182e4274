"""Cases in a pipeline of three threads: reading, network and writing at the same time.

Reading unpacks gzip and the network runs outside Python's lock, so that threads overlap; each
stage has one thread, so that cases pass in order and memory does not grow with their number.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from smalltumor.cohort.interruptible import result_of
from smalltumor.cohort.pipeline.mask_reuse import reuse_mask
from smalltumor.cohort.pipeline.network_stage import Computed, read_images, run_network
from smalltumor.cohort.pipeline.writing import write_results
from smalltumor.cohort.results.rows import CohortRow, failed, reason_of
from smalltumor.errors import Cancelled, OutputError

if TYPE_CHECKING:
    from types import TracebackType

    from smalltumor.cohort.pipeline.jobs import Job
    from smalltumor.cohort.settings import CohortSettings
    from smalltumor.data.case import Case
    from smalltumor.models.checkpoint import Checkpoint

P = ParamSpec("P")
T = TypeVar("T")

_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}

DEPTH = 3
"""Cases in a pipeline at most: one in each stage."""


class Pipeline:
    """Three threads that cases pass through.

    Parameters
    ----------
    checkpoint : Checkpoint
    settings : CohortSettings
    generation : int
        How often the folder of results was overwritten, see `CohortCaseRecord`.
    """

    def __init__(self, checkpoint: Checkpoint, settings: CohortSettings, generation: int) -> None:
        self._checkpoint, self._settings, self._generation = checkpoint, settings, generation
        self._stop = Event()
        self._unwritten: OutputError | None = None
        self._threads = ExitStack()
        self._reading, self._network, self._writing = (
            self._threads.enter_context(ThreadPoolExecutor(1, thread_name_prefix=stage))
            for stage in ("reading", "network", "writing")
        )

    def submit(self, job: Job) -> Future[CohortRow]:
        """Put a case into the pipeline.

        Returns
        -------
        Future
            Its row, "failed" with the reason if something is wrong with this case. It raises
            `OutputError` if results cannot be written, such as to a full disk; then no case after
            it is segmented, and these raise the same.
        """
        read = self._reading.submit(self._unless_stopped, self._read, job)
        computed = self._network.submit(self._unless_stopped, self._compute, read)
        return self._writing.submit(self._unless_stopped, self._write, job, computed)

    def rows(self, jobs: Iterable[Job]) -> Iterator[CohortRow]:
        """The rows of cases, in order, with `DEPTH` of them in the pipeline at a time."""
        remaining = iter(jobs)
        pending = [self.submit(job) for job in islice(remaining, DEPTH)]
        while pending:
            yield result_of(pending.pop(0))
            pending += [self.submit(job) for job in islice(remaining, 1)]

    def _read(self, job: Job) -> Case | Exception | None:
        try:
            return read_images(job, self._settings)
        except Exception as error:
            return error

    def _compute(self, read: Future[Case | Exception | None]) -> Computed | Exception | None:
        case = read.result()
        if isinstance(case, Exception):
            return case
        try:
            return run_network(case, self._checkpoint, self._settings, self._stop.is_set)
        except Cancelled:
            raise
        except Exception as error:
            return error

    def _write(self, job: Job, computed: Future[Computed | Exception | None]) -> CohortRow:
        found = computed.result()
        try:
            if found is None or job.task != "segment":
                return reuse_mask(job, self._settings, found)
            if isinstance(found, Exception):
                raise found
            return write_results(job, found, self._settings, self._generation, self._stop.is_set)
        except (OutputError, Cancelled):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
                raise OutputError(
                    f"{error.filename or job.name}: {error.strerror or error}"
                ) from error
            return failed(job.name, reason_of(error), getattr(error, "remedy", None))

    def _unless_stopped(self, stage: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        if self._stop.is_set():
            raise self._stop_error()
        try:
            return stage(*arguments, **named)
        except Cancelled as error:
            self._stop.set()
            raise self._stop_error() from error
        except BaseException as error:
            if isinstance(error, OutputError):
                self._unwritten = error
            self._stop.set()
            raise

    def _stop_error(self) -> Exception:
        """Return the full-disk error for every case: any case may be the first to report it."""
        if self._unwritten is not None:
            return OutputError(str(self._unwritten))
        return Cancelled("the run has ended")

    def stop(self) -> None:
        """Give up the cases that are not yet written, without waiting for the threads."""
        self._stop.set()

    def close(self) -> None:
        """End the threads; cases that have not ended are given up."""
        self.stop()
        self._threads.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
