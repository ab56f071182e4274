"""The time by the clock of a drive, by which its files are dated."""

from __future__ import annotations

import errno
import time
from pathlib import Path

from smalltumor.files.transactions.temporary_names import temporary_name

_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


def drive_time(folder: Path) -> float:
    """Seconds since 1970 by the clock of a folder's drive; may raise OSError.

    It is that of this computer where no file can be created, and so none be moved by a wrong clock.
    """
    probe = folder / temporary_name()
    try:
        probe.touch()
        return probe.stat().st_mtime
    except OSError as error:
        if error.errno in _READ_ONLY:
            return time.time()
        raise
    finally:
        probe.unlink(missing_ok=True)
