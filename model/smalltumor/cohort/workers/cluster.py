"""Segmenting cases on the workers of a Dask cluster, on this machine or on others."""

from __future__ import annotations

import logging
import os
import platform
import re
import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from smalltumor.cohort.interruptible import result_of
from smalltumor.cohort.pipeline.pipeline import DEPTH
from smalltumor.cohort.workers.closing import close_client, close_cluster
from smalltumor.cohort.workers.interruptions import (
    deferred_interruptions,
    started_with_sigint_blocked,
)
from smalltumor.cohort.workers.worker import WorkerSetup
from smalltumor.errors import SmalltumorError
from smalltumor.extras import missing_packages, require
from smalltumor.version import software_version

if TYPE_CHECKING:
    from smalltumor.cohort.pipeline.jobs import Job
    from smalltumor.cohort.results.rows import CohortRow
    from smalltumor.cohort.settings import CohortSettings
    from smalltumor.cohort.workers.workers import Workers
    from smalltumor.models.checkpoint import Checkpoint

LOCAL = "127.0.0.1"
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**28),
    "MALLOC_TRIM_THRESHOLD_": str(2**29),
}
"""Let glibc keep the memory of a case for the next one, in all threads: the system would clear it
each time, which took a tenth of what is done outside the network."""

_GLIBC = (2, 35)
"""The first that takes `_MEMORY`. Those before refuse a threshold above 32 MiB, and with the other
settings alone no longer raise their own: each array of 128 kB or more would be cleared."""

_QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.scheduler.work-stealing": False,  # cases are sent to workers by name
}
"""How often Dask looks at itself. By default each process does 50 times a second and more, which
took a twentieth of two cores."""


def rows_from_workers(
    jobs: Sequence[Job],
    checkpoint: Checkpoint,
    settings: CohortSettings,
    generation: int,
    workers: Workers,
) -> Generator[CohortRow, None, None]:
    """The rows of cases, as workers end them.

    Parameters
    ----------
    jobs : sequence of Job
    checkpoint : Checkpoint
        Read from a file that the workers see under the same path.
    settings : CohortSettings
    generation : int
        How often the folder of results was overwritten, see `CohortCaseRecord`.
    workers : Workers

    Raises
    ------
    MissingPackageError
        If the extra ``cohort`` is not installed.
    OutputError
        If results cannot be written.
    SmalltumorError
        If there is no such scheduler, it is lost, or no worker can segment the cases.
    """
    require_distributed()
    from smalltumor.cohort.workers.worker_pool import WorkerPool

    setup = setup_of(checkpoint, settings, generation)
    count = min(workers.count or 1, len(jobs))
    with _connected(workers, count) as (client, restart):
        sharing = 0 if workers.scheduler else count
        pool = WorkerPool(client, setup, sharing, workers.report, restart)
        yield from pool.rows([_absolute(job) for job in jobs], workers.timeout)


def require_distributed() -> Any:
    """Import ``distributed``, of the extra ``cohort``.

    Raises
    ------
    MissingPackageError
    """
    return require("distributed", "a cohort on several workers", "cohort")


def setup_of(checkpoint: Checkpoint, settings: CohortSettings, generation: int) -> WorkerSetup:
    """What workers need to know, whatever folder they run in."""
    if checkpoint.path is None:
        raise SmalltumorError("weights that are in no file cannot be sent to workers")
    bids = None if settings.bids is None else settings.bids.absolute()
    return WorkerSetup(
        run=secrets.token_hex(8),
        settings=replace(settings, output=settings.output.absolute(), bids=bids),
        weights=checkpoint.path.absolute(),
        digest=checkpoint.digest,
        generation=generation,
        version=software_version(),
    )


def _absolute(job: Job) -> Job:
    files = job.files
    modalities = {m: [path.absolute() for path in paths] for m, paths in files.modalities.items()}
    stacked = None if files.stacked is None else files.stacked.absolute()
    labels = [path.absolute() for path in files.labels]
    return replace(job, files=replace(files, modalities=modalities, stacked=stacked, labels=labels))


@contextmanager
def _connected(workers: Workers, count: int) -> Iterator[tuple[Any, Callable[[], object]]]:
    """A client of the cluster, started if it is one of this machine, and how to restart workers."""
    distributed = require_distributed()
    with ExitStack() as stack:
        for name in ("asyncio", "distributed"):  # what was lost is told in our own words
            stack.enter_context(_quiet(name))
        address: Any = workers.scheduler
        restart: Callable[[], object] = object
        if address is None:
            address = stack.enter_context(_local_cluster(distributed, count))
            restart = partial(address.scale, count)
        connect = partial(distributed.Client, address, timeout=10, set_as_default=False)
        with deferred_interruptions():
            try:
                client = result_of(started_with_sigint_blocked(connect))
            except (OSError, ValueError) as error:
                raise SmalltumorError(f"no Dask scheduler answers at {address}") from error
            stack.callback(close_client, client)
        if workers.scheduler or not missing_packages(["bokeh"]):
            workers.report(f"dashboard: {client.dashboard_link}")
        yield client, restart


@contextmanager
def _local_cluster(distributed: Any, count: int) -> Iterator[Any]:
    import dask

    threads = str(max(1, len(_cores()) // count))
    environment = {**dict.fromkeys(_THREADS, threads), **_memory()}
    environment = {name: os.environ.get(name, value) for name, value in environment.items()}
    settings = {"distributed.nanny.pre-spawn-environ": environment, **_QUIET}
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        start = partial(
            distributed.LocalCluster,
            n_workers=count,
            threads_per_worker=DEPTH,
            host=LOCAL,
            dashboard_address=f"{LOCAL}:0",
            preload=[
                *dask.config.get("distributed.worker.preload"),
                "smalltumor.cohort.workers.worker",
            ],
            memory_limit=0,  # a worker that needs more than its share for a moment may have it
            silence_logs=logging.CRITICAL + 1,
        )
        with deferred_interruptions():
            _start_resource_tracker()
            cluster = result_of(started_with_sigint_blocked(start))
            stack.callback(close_cluster, cluster)
        yield cluster


def _start_resource_tracker() -> None:
    """Start Python's tracker of semaphores, without its warnings.

    It would print them for workers that were killed, after the command has said what happened.
    """
    if os.name != "posix":
        return
    from multiprocessing import resource_tracker

    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [before, "ignore:resource_tracker"]))
    try:
        resource_tracker.ensure_running()
    finally:
        os.environ.pop("PYTHONWARNINGS")
        if before is not None:
            os.environ["PYTHONWARNINGS"] = before


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _memory() -> dict[str, str]:
    """`_MEMORY` where the C library takes it."""
    library, version = platform.libc_ver()
    release = tuple(int(number) for number in re.findall(r"\d+", version))
    return _MEMORY if library == "glibc" and release >= _GLIBC else {}


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
