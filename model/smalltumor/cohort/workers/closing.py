"""Closing the clients and clusters of Dask, also if Ctrl-C comes meanwhile.

Dask closes what is open when Python ends. It cannot close a client or a cluster that was
interrupted while it closed: it waits for up to 20 s, and prints a traceback.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from smalltumor.cohort.interruptible import result_of
from smalltumor.cohort.workers.interruptions import started_with_sigint_blocked

if TYPE_CHECKING:
    import psutil

_CLIENT_TIMEOUT = 5.0
"""Seconds until the scheduler of a client is left behind."""

_CLUSTER_TIMEOUT = 10.0
"""Seconds until the workers of this machine are left behind."""

_ENDING_TIMEOUT = 0.5
"""Seconds that workers have after an interruption, and again after they were killed."""

_POLL_S = 0.02


def close_client(client: Any) -> None:
    """Close a client, without an error if its scheduler does not answer."""
    try:
        with suppress(TimeoutError):
            result_of(started_with_sigint_blocked(partial(client.close, timeout=_CLIENT_TIMEOUT)))
    finally:
        client.status = "closed"  # or its destructor closes it again


def close_cluster(cluster: Any) -> None:
    """Close a cluster; an interruption kills the workers that do not end soon after it."""
    cluster.shutdown_on_close = False  # or Dask closes it again when Python ends
    workers: set[psutil.Process] = set()
    try:
        workers |= _processes_of(cluster)
        with suppress(TimeoutError):  # 2024.8 waits for workers that were killed
            result_of(started_with_sigint_blocked(partial(cluster.close, timeout=_CLUSTER_TIMEOUT)))
    except KeyboardInterrupt:
        _end(workers | _processes_of(cluster))
        raise


def _processes_of(cluster: Any) -> set[psutil.Process]:
    import psutil

    found = set()
    for nanny in list(cluster.workers.values()):
        with suppress(psutil.NoSuchProcess):
            if nanny.pid:
                found.add(psutil.Process(nanny.pid))
    return found


def _end(processes: Collection[psutil.Process]) -> None:
    """Wait for processes that are ending, and kill those that do not, also if it is interrupted."""
    import psutil

    try:
        _wait_for_end_of(processes)
    finally:
        for process in filter(_is_running, processes):
            with suppress(psutil.NoSuchProcess):
                process.kill()
    _wait_for_end_of(processes)


def _wait_for_end_of(processes: Collection[psutil.Process]) -> None:
    """Wait until no process runs, or for `_ENDING_TIMEOUT`.

    Dask waits for their exit codes, which `psutil.wait_procs` would take away. A process that has
    ended is a zombie until its exit code is taken.
    """
    deadline = time.monotonic() + _ENDING_TIMEOUT
    while any(map(_is_running, processes)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _is_running(process: psutil.Process) -> bool:
    import psutil

    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
