"""Whether there is something at a path, or an error where that cannot be told.

`Path.exists`, `is_file` and `is_dir` answer no since Python 3.14 where they raised an error before:
for a name that is too long, in a folder that may not be searched, on a drive that fails. A file
that cannot be reached would count as absent.

So whoever asks before something is written, moved or chosen, or to say that it is not there, uses
`exists`, `is_file` and `is_folder` with an error of this package for what is `unreachable`, or
several within `unreachable_as`. Who then reads the file in any case, and so hears why it cannot,
asks `is_absent`, and so does who has nobody to tell and must not lose it. `Path` is asked where no
only means that something is not offered or not shown.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smalltumor.errors import SmalltumorError

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP}
_ABSENT_ON_WINDOWS = {2, 3, 123, 161, 267, 1921}
"""No file, no folder above it, three impossible paths, and a link to itself.

Python gives a share that is gone, a drive that is gone and a path that is too long `ENOENT`, too.
"""


def exists(path: Path, *, unreachable: type[SmalltumorError] | None = None) -> bool:
    """Whether there is a file or folder; may raise OSError, or instead the error that is given."""
    return _mode(path, unreachable) is not None


@contextmanager
def unreachable_as(kind: type[SmalltumorError]) -> Iterator[None]:
    """Raise an error of this kind where the block cannot tell what is at a path."""
    try:
        yield
    except OSError as error:
        raise _unreachable_error(error.filename, error, kind) from error


def is_absent(path: Path) -> bool:
    """Whether there is nothing, as far as this can be told."""
    try:
        return not exists(path)
    except OSError:
        return False


def is_file(path: Path, *, unreachable: type[SmalltumorError] | None = None) -> bool:
    """Whether there is a regular file; raises as `exists`."""
    mode = _mode(path, unreachable)
    return mode is not None and stat.S_ISREG(mode)


def is_folder(path: Path, *, unreachable: type[SmalltumorError] | None = None) -> bool:
    """Whether there is a folder; raises as `exists`."""
    mode = _mode(path, unreachable)
    return mode is not None and stat.S_ISDIR(mode)


def _mode(path: Path, unreachable: type[SmalltumorError] | None) -> int | None:
    """Type and permissions of what a path names, through links; None if there is nothing."""
    try:
        return path.stat().st_mode
    except ValueError:  # a name that no file can have, as with a null character
        return None
    except OSError as error:
        if says_absent(error):
            return None
        if unreachable is None:
            raise
        raise _unreachable_error(path, error, unreachable) from error


def _unreachable_error(
    path: Path | str | None, error: OSError, kind: type[SmalltumorError]
) -> SmalltumorError:
    return kind(f"{path} cannot be reached: {error.strerror or error}")


def says_absent(error: OSError) -> bool:
    """Whether an error says that there is nothing at a path, not that it cannot be reached."""
    code: int | None = getattr(error, "winerror", None)
    return error.errno in _ABSENT if code is None else code in _ABSENT_ON_WINDOWS
