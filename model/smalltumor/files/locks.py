"""Locks between processes, on drives that have them."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from smalltumor.errors import SmalltumorWarning

_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
"""What network drives without locks answer; one that has them answers ENOLCK at times."""

_warned: set[Path] = set()
"""Folders of which was said that they were written to without a lock."""

# Once: a filter that is set with each lock would undo those of the program meanwhile.
warnings.filterwarnings("ignore", "flock not supported on this filesystem", UserWarning)


@contextmanager
def locked(path: Path, *, timeout: float = 0.0, mode: int = 0o644) -> Iterator[None]:
    """Hold a lock within the block; on a drive without locks nothing is held, after a warning.

    Old releases of filelock raise `NotImplementedError` if the system has no locks, and take what
    else a drive answers for a lock of another process. New ones put a file in the place of the
    lock, and pass the rest on.

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
    lock = FileLock(path, timeout=timeout, mode=mode)
    try:
        lock.acquire()
    except NotImplementedError:
        _warn(path.parent)
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
