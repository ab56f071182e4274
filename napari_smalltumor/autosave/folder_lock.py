"""Locks of folders, which the operating system releases when a process ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

LOCK = "lock"
"""Name of the file that is locked."""


def lock(folder: Path) -> IO[bytes]:
    """Lock a folder until the returned file is closed, or until the process ends."""
    file = (folder / LOCK).open("ab")
    _try_lock(file)
    return file


def is_locked(folder: Path) -> bool:
    """Whether another program, or this one, has locked a folder."""
    try:
        with (folder / LOCK).open("ab") as file:
            return not _try_lock(file)
    except OSError:  # another viewer may be deleting the folder
        return False


def _try_lock(file: IO[bytes]) -> bool:
    """Lock a file until it is closed; False if it is locked, True if locks are unsupported."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
