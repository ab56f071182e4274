"""Locks between processes, on drives that have them."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock

from smalltumor.errors import SmalltumorWarning

_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
"""What network drives without locks answer; one that has them answers ENOLCK at times."""

_warned: set[Path] = set()
"""Folders of which was said that they were written to without a lock."""


def file_lock(path: Path, *, timeout: float = 0.0, mode: int = 0o644) -> BaseFileLock:
    """A lock that the system drops when its process ends, however that happens.

    Where there is none, acquiring it raises OSError. filelock would put a file in its place
    otherwise, which stays when the process is killed, and nobody on another computer can tell.

    Parameters
    ----------
    path : Path
        Of the lock.
    timeout : float
        Seconds to wait for it, until `filelock.Timeout` is raised.
    mode : int
        Permissions of a new lock.
    """
    return FileLock(path, timeout=timeout, mode=mode, fallback_to_soft=False)


@contextmanager
def locked(path: Path, *, timeout: float = 0.0, mode: int = 0o644) -> Iterator[None]:
    """Hold a lock within the block; on a drive without locks nothing is held, after a warning.

    Parameters
    ----------
    path : Path
        Of the lock.
    timeout : float
        Seconds to wait for it.
    mode : int
        Permissions of a new lock.

    Raises
    ------
    filelock.Timeout
        If another process holds it.
    OSError
        If the file cannot be written.
    """
    lock = file_lock(path, timeout=timeout, mode=mode)
    try:
        lock.acquire()
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        _warn(path.parent)
    try:
        yield
    finally:
        lock.release()


def _warn(folder: Path) -> None:
    """Say once of a folder that nothing keeps others out of it."""
    if folder not in _warned:
        _warned.add(folder)
        warnings.warn(
            f"{folder} could not be locked, because its drive has no locks at present: do not let "
            "another program write to it meanwhile",
            SmalltumorWarning,
            stacklevel=4,
        )
