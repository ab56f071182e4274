"""Which scan a prepared case was made of, as long as the program runs.

It is not stored: the path of a scan often has the patient's name in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from smalltumor.scanner.series import Series

_SCANS: dict[Path, Path] = {}


def remember_scan(case_folder: Path, scan: Path) -> None:
    """Remember the folder of the scan of a prepared case."""
    _SCANS[case_folder.absolute()] = scan


def forget_scan(case_folder: Path) -> None:
    """Forget the scan of a prepared case, which was not the right one."""
    _SCANS.pop(case_folder.absolute(), None)


def scan_of(case_folder: Path) -> Path | None:
    """The folder of the scan of which a case was made, if it is known and still there."""
    scan = _SCANS.get(case_folder.absolute())
    return scan if scan is not None and scan.is_dir() else None


def folder_of_series(series: Iterable[Series]) -> Path:
    """The innermost folder that holds all series, which may hold those of one patient alone."""
    folders = (s.location.parent if s.location.is_file() else s.location for s in series)
    return Path(os.path.commonpath([folder.absolute() for folder in folders]))
