"""Zip archives of scans, unpacked until the program ends.

A brain mask may be corrected long after the preparation, and needs the scan again.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from smalltumor.scanner.archive import is_archive, unpack

_UNPACKED: dict[Path, TemporaryDirectory[str]] = {}


def folder_of(path: Path) -> Path:
    """The folder of a scan: the path itself, or the files of a zip archive in a temporary one.

    Raises
    ------
    CaseError
        If the archive cannot be unpacked.
    """
    if not is_archive(path):
        return path
    path = path.absolute()
    known = _UNPACKED.get(path)
    if known is not None:
        return Path(known.name, path.stem)
    temporary = TemporaryDirectory(prefix="smalltumor-", ignore_cleanup_errors=True)
    folder = Path(temporary.name, path.stem)
    unpack(path, folder)
    _UNPACKED[path] = temporary
    return folder
