"""One process at a time trains in a run folder, and whoever opens the folder finds out which."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

from filelock import Timeout

from smalltumor.errors import RunInUseError
from smalltumor.files.atomic import write_bytes
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.existence import is_absent
from smalltumor.files.locks import file_lock
from smalltumor.training.runs.process_tree import is_process_running
from smalltumor.training.runs.run_folder import RunFolder

HEARTBEAT_SECONDS = 5.0
_SILENT_SECONDS = 120.0
_STARTING_SECONDS = 60.0
"""Silence after which a process of another machine, and one of this machine, holds no run."""

_LOCK = "lock"
_WAIT_SECONDS = 2.0
"""Others hold the lock for a moment, to see whether it is free or while they launch a process."""


@dataclass(frozen=True)
class LockHolder:
    """A process that trains, or did when it was killed.

    Parameters
    ----------
    pid : int
    host : str
    since : float
        When it was started, in seconds since 1970.
    """

    pid: int
    host: str
    since: float

    @property
    def is_local(self) -> bool:
        """Whether it is, or was, a process of this machine."""
        return self.host == socket.gethostname()


def read_lock_holder(run: RunFolder) -> LockHolder | None:
    """The process that trains in a folder, or was killed doing so."""
    try:
        content = json.loads(run.process.read_text(encoding="utf-8"))
        pid = int(content["pid"])
        if not 0 < pid < 2**31:  # as no system numbers processes
            return None
        return LockHolder(pid, str(content["host"]), float(content["since"]))
    except (OSError, *DAMAGED):
        return None


def write_lock_holder(run: RunFolder, pid: int) -> None:
    """Record which process of this machine trains in a folder."""
    record = asdict(LockHolder(pid, socket.gethostname(), round(time.time(), 3)))
    write_bytes(run.process, json.dumps(record).encode() + b"\n", overwrite=True)


def write_heartbeat(run: RunFolder) -> None:
    """Show other machines, which cannot see the lock, that the process is alive."""
    with suppress(OSError):
        os.utime(run.process)


def is_locked(run: RunFolder) -> bool:
    """Whether a process trains in a folder or is about to."""
    holder = read_lock_holder(run)
    if holder is None:
        return False
    return (holder.is_local and lock_is_held(run)) or _is_alive(run, holder)


def lock_is_held(run: RunFolder) -> bool:
    """Whether a process of this machine holds the lock itself; one that is starting does not."""
    path = run.path / _LOCK
    if is_absent(path):
        return False
    try:
        with file_lock(path):
            return False
    except Timeout:
        return True
    except OSError:  # not ours to write, or a file system without locks
        return False


@contextmanager
def hold_launch_lock(run: RunFolder) -> Iterator[None]:
    """Hold a run folder while a process is launched, so that two cannot be launched at once.

    Raises
    ------
    RunInUseError
        If a process trains in the folder or is about to.
    """
    with _lock(run):
        _check_free(run)
        yield


@contextmanager
def hold_run_lock(run: RunFolder) -> Iterator[None]:
    """Hold a run folder while this process trains in it.

    Raises
    ------
    RunInUseError
        If another process does.
    """
    with _lock(run):
        _check_free(run)
        holder = read_lock_holder(run)
        if holder is None or holder.pid != os.getpid():
            # A stop request from before this process. If this process was launched, its launcher
            # has removed such a file and recorded the process, and a stop request is for it.
            run.stop_request_file.unlink(missing_ok=True)
        write_lock_holder(run, os.getpid())
        try:
            yield
        finally:
            run.stop_request_file.unlink(missing_ok=True)
            run.process.unlink(missing_ok=True)


@contextmanager
def _lock(run: RunFolder) -> Iterator[None]:
    lock = file_lock(run.path / _LOCK, timeout=_WAIT_SECONDS, mode=0o666)
    try:
        lock.acquire()
    except Timeout:
        raise _in_use_error(run) from None
    except OSError:  # a file system without locks has heartbeats only
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _check_free(run: RunFolder) -> None:
    """Check for a process that the lock does not show: starting, or on another machine."""
    holder = read_lock_holder(run)
    if holder is not None and not _is_own(holder) and _is_alive(run, holder):
        raise _in_use_error(run)


def _is_own(holder: LockHolder) -> bool:
    return holder.is_local and holder.pid == os.getpid()


def _is_alive(run: RunFolder, holder: LockHolder) -> bool:
    """Whether a holder has shown life lately, and on this machine also runs."""
    try:
        silent = time.time() - run.process.stat().st_mtime
    except OSError:
        return False
    if not holder.is_local:
        return silent < _SILENT_SECONDS
    return silent < _STARTING_SECONDS and is_process_running(holder.pid)


def _in_use_error(run: RunFolder) -> RunInUseError:
    holder = read_lock_holder(run)
    who = f"process {holder.pid} on {holder.host}" if holder else "another process"
    return RunInUseError(f"{who} trains in {run.path} already; stop it first")
