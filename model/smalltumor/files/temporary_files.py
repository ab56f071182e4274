"""Removing the temporary files of killed processes, and of no other, on whatever computer."""

from __future__ import annotations

from pathlib import Path

from smalltumor.files.drive_time import drive_time
from smalltumor.files.temporary_names import TEMPORARY_FILES, process_of_name
from smalltumor.files.writers import has_ended

_SILENT_S = 600.0
"""Seconds without a change after which a file of another computer is no longer being written."""


def remove_temporary_files(folder: Path) -> None:
    """Remove the temporary files of processes that have ended; may raise OSError.

    Of a process on another computer, that is known only by how long its file has not changed.
    """
    for path in folder.glob(TEMPORARY_FILES):
        try:
            changed = path.stat().st_mtime
        except FileNotFoundError:  # it is complete by now, or another process removes it, too
            continue
        process = process_of_name(path.name)
        # A drive's clock may be another one; a process that began later has the number again.
        ended = None if process is None else has_ended(process, changed + _SILENT_S)
        if ended is None:
            ended = drive_time(folder) - changed > _SILENT_S
        if ended:
            path.unlink(missing_ok=True)
