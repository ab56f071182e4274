"""Whether there is something at a path, or an error where that cannot be told.

`Path.exists`, `is_file` and `is_dir` answer no since Python 3.14 where they raised an error before:
for a name that is too long, in a folder that may not be searched, on a drive that fails. A file
that cannot be reached would count as absent.
"""

from __future__ import annotations

import errno
import stat
from pathlib import Path

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP}
_ABSENT_ON_WINDOWS = {21, 123, 1921}  # a drive without a disk, an impossible name, a broken link


def exists(path: Path) -> bool:
    """Whether there is a file or folder; may raise OSError."""
    return _mode(path) is not None


def is_absent(path: Path) -> bool:
    """Whether there is nothing, as far as this can be told."""
    try:
        return not exists(path)
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether there is a regular file; may raise OSError."""
    mode = _mode(path)
    return mode is not None and stat.S_ISREG(mode)


def is_folder(path: Path) -> bool:
    """Whether there is a folder; may raise OSError."""
    mode = _mode(path)
    return mode is not None and stat.S_ISDIR(mode)


def _mode(path: Path) -> int | None:
    """Type and permissions of what a path names, through links; None if there is nothing."""
    try:
        return path.stat().st_mode
    except ValueError:  # a name that no file can have, as with a null character
        return None
    except OSError as error:
        if error.errno in _ABSENT or getattr(error, "winerror", None) in _ABSENT_ON_WINDOWS:
            return None
        raise
