"""Stamps of files: what the drive tells of a file that changes when it is written."""

from __future__ import annotations

from pathlib import Path

Stamp = tuple[int, ...]


def stamp_of(path: Path) -> Stamp | None:
    """What changes whenever a file is written or replaced; None if there is no file.

    It may change although the content does not, as with permissions, links or a copy in its place.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    return (
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
    )


def written_stamp_of(path: Path) -> Stamp | None:
    """What changes when a file is written, but not when it is linked or copied with its time.

    None if there is no file. A program that sets the time back hides what it has written.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
