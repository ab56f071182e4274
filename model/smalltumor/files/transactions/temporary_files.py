"""Removing the temporary files of killed processes, and of no other, on whatever computer."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from pathlib import Path

from smalltumor.files.transactions.drive_time import drive_time
from smalltumor.files.transactions.temporary_names import TEMPORARY_FILES, process_of_name
from smalltumor.files.writers import has_ended

_SILENT_S = 600.0
"""Seconds without a change after which a file of another computer is no longer being written."""

_CLOCK_S = 600.0
"""By how much a clock may have been set since a file was written."""


def remove_temporary_files(folder: Path) -> None:
    """Remove the temporary files of processes that have ended, as far as this can be done.

    Of a process on another computer, that is known only by how long its file has not changed.
    """
    found: list[Path] = []
    with suppress(OSError):
        found.extend(folder.glob(TEMPORARY_FILES))
    now = _drive_time(folder) if found else None
    for path in found:
        with suppress(OSError):  # it is complete by now, or open on Windows, or a folder
            if _is_left(path, now):
                path.unlink()


def _drive_time(folder: Path) -> float | None:
    """The time by which files are dated; None if it is not known, as on a drive that is full."""
    try:
        return drive_time(folder)
    except OSError:
        return None


def _is_left(path: Path, now: float | None) -> bool:
    """Whether the process that wrote a file has ended; may raise OSError."""
    age = None if now is None else now - path.stat().st_mtime
    process = process_of_name(path.name)
    ended = None if process is None else has_ended(process, _wrote_at(age))
    if ended is None:
        return age is not None and age > _SILENT_S
    return ended


def _wrote_at(age: float | None) -> float:
    """When a file was written by this computer's clock: a later process may have its number."""
    return math.inf if age is None else time.time() - age + _CLOCK_S
