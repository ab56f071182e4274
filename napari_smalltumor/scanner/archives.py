"""Zip archives of scans, unpacked until the program ends.

A brain mask may be corrected long after the preparation, and needs the scan again.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from smalltumor.errors import CaseError
from smalltumor.scanner.archive import check_holds_images, is_archive, unpack


class _Archive(NamedTuple):
    """A version of a file; another one of the same name may be of another patient."""

    path: Path
    size: int
    modified_ns: int


_UNPACKED: dict[_Archive, TemporaryDirectory[str]] = {}


def unpacked_folder(path: Path, on_file: Callable[[int], None] | None = None) -> Path:
    """The folder of a scan: the path itself, or a temporary one with the files of an archive.

    Parameters
    ----------
    path : Path
        An archive is unpacked unless it was, and its files are still there.
    on_file : callable, optional
        As of `smalltumor.scanner.archive.unpack`.

    Raises
    ------
    CaseError
        If the archive cannot be unpacked, or holds no images.
    """
    if not is_archive(path):
        return path
    archive = _version_of(path.absolute())
    known = _UNPACKED.get(archive)
    if known is not None and Path(known.name, path.stem).is_dir():
        return Path(known.name, path.stem)
    check_holds_images(path)
    temporary = TemporaryDirectory(prefix="smalltumor-", ignore_cleanup_errors=True)
    folder = Path(temporary.name, path.stem)
    try:
        unpack(path, folder, on_file)
    except BaseException:
        temporary.cleanup()
        raise
    _UNPACKED[archive] = temporary
    atexit.register(temporary.cleanup)  # left to Python, it would end with a warning
    return folder


def remove_unpacked(folder: Path) -> None:
    """Delete the files of an archive, if a folder is that of an archive."""
    for archive, temporary in list(_UNPACKED.items()):
        if folder == Path(temporary.name, archive.path.stem):
            _UNPACKED.pop(archive).cleanup()


def beside_scan(scan: Path) -> Path:
    """The folder that holds a scan, or the archive of which it is a part."""
    return (archive_of(scan) or scan).parent


def is_unpacked(path: Path) -> bool:
    """Whether a path lies within the temporary folder of an archive."""
    return archive_of(path) is not None


def archive_of(path: Path) -> Path | None:
    """The archive in whose temporary folder a path lies; None of any other path."""
    resolved = Path(os.path.realpath(path))
    for archive, temporary in _UNPACKED.items():
        if resolved.is_relative_to(os.path.realpath(temporary.name)):
            return archive.path
    return None


def _version_of(path: Path) -> _Archive:
    try:
        status = path.stat()
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error.strerror or error}") from error
    return _Archive(path, status.st_size, status.st_mtime_ns)
