"""Which process trains in a run folder: one at a time, found by whoever opens the folder."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from smalltumor.errors import TrainingError
from smalltumor.files.atomic import write_bytes
from smalltumor.training.runs.run_folder import RunFolder

HEARTBEAT_SECONDS = 5.0
_SILENT_SECONDS = 120.0
_STARTING_SECONDS = 60.0
_LOCK = "lock"
_LOCK_TRIES, _LOCK_PAUSE = 20, 0.1


@dataclass(frozen=True)
class LockHolder:
    """A process that trains, or did when it was killed.

    Parameters
    ----------
    pid : int
    host : str
    since : float
        When it began, in seconds since 1970.
    """

    pid: int
    host: str
    since: float

    @property
    def is_here(self) -> bool:
        """Whether it is, or was, a process of this machine."""
        return self.host == socket.gethostname()


def read_lock_holder(run: RunFolder) -> LockHolder | None:
    """The process that trains in a folder, or was killed doing so."""
    try:
        return LockHolder(**json.loads(run.process.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def is_locked(run: RunFolder) -> bool:
    """Whether a process trains in a folder, or is about to.

    Here the lock that it holds tells; elsewhere its heartbeat.
    """
    occupant = read_lock_holder(run)
    if occupant is None:
        return False
    try:
        silent = time.time() - run.process.stat().st_mtime
    except OSError:
        return False
    if not occupant.is_here:
        return silent < _SILENT_SECONDS
    return _is_locked(run) or (silent < _STARTING_SECONDS and is_process_running(occupant.pid))


def write_lock_holder(run: RunFolder, pid: int) -> None:
    """Note which process of this machine trains in a folder."""
    record = asdict(LockHolder(pid, socket.gethostname(), round(time.time(), 3)))
    write_bytes(run.process, json.dumps(record).encode() + b"\n", overwrite=True)


def write_heartbeat(run: RunFolder) -> None:
    """Show that the process is alive; of interest to other machines."""
    with suppress(OSError):
        os.utime(run.process)


def is_process_running(pid: int) -> bool:
    """Whether there is a process of this number on this machine."""
    if sys.platform == "win32":  # there os.kill would end it
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    try:  # one that has ended, but nobody has asked how
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


@contextmanager
def hold_run_lock(run: RunFolder) -> Iterator[None]:
    """Hold a run folder while this process trains in it.

    Raises
    ------
    TrainingError
        If another process does.
    """
    descriptor = os.open(run.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        for _ in range(_LOCK_TRIES):  # somebody may be looking whether it is locked
            if _lock(descriptor):
                break
            time.sleep(_LOCK_PAUSE)
        else:
            other = read_lock_holder(run)
            who = f"process {other.pid} on {other.host}" if other else "another process"
            raise TrainingError(f"{who} trains in {run.path} already; stop it first")
        write_lock_holder(run, os.getpid())
        run.stop_request_file.unlink(missing_ok=True)  # asked of an earlier process
        try:
            yield
        finally:
            run.process.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _is_locked(run: RunFolder) -> bool:
    try:
        descriptor = os.open(run.path / _LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Take the lock, which goes with the process; False if another has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        return True
    return True
