"""Which scan a prepared case was made of.

The path of a scan often has the patient's name in it. So it is kept in the user's own data on this
computer, and never in the folder of the case, which may be shared.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import Timeout
from smalltumor.errors import OutputError
from smalltumor.files.atomic import write_text
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.locks import file_lock
from smalltumor.files.user_dirs import data_folder
from smalltumor.scanner.archive import is_archive
from smalltumor.scanner.series import Series

from napari_smalltumor.scanner.archives import archive_of

FILE_NAME = "scans.json"
LOCK_NAME = "scans.lock"

_MAX_WAIT_S = 1.0

MAX_STORED = 500
"""Cases whose scan is stored; the earliest ones are left out."""

_SCANS: dict[Path, Path] = {}
"""Scans of this session; of an archive the folder of its files, which are deleted at the end."""


def remember_scan(case_folder: Path, scan: Path) -> None:
    """Remember the scan of a prepared case, its folder or its archive, also after a restart."""
    case_folder = case_folder.resolve()
    _SCANS.pop(case_folder, None)
    _SCANS[case_folder] = scan
    with _locked():
        stored = _stored()
        stored.pop(str(case_folder), None)
        stored[str(case_folder)] = str((archive_of(scan) or scan).absolute())
        _store(stored)


def forget_scan(case_folder: Path) -> None:
    """Forget the scan of a prepared case, which was not the right one."""
    case_folder = case_folder.resolve()
    _SCANS.pop(case_folder, None)
    with _locked():
        stored = _stored()
        if stored.pop(str(case_folder), None) is not None:
            _store(stored)


def scan_of(case_folder: Path, *, earlier_sessions: bool = True) -> Path | None:
    """The folder or archive of the scan of which a case was made, if it is known and still there.

    Parameters
    ----------
    case_folder : Path
    earlier_sessions : bool
        Whether to trust what an earlier session remembered: the caller has to check that the case
        is made of this scan.
    """
    given, case_folder = case_folder.absolute(), case_folder.resolve()
    scan = _SCANS.get(case_folder)
    if earlier_sessions and (scan is None or not _is_there(scan)):
        stored = _stored()
        path = stored.get(str(case_folder)) or stored.get(str(given))
        scan = None if path is None else Path(path)
    return scan if scan is not None and _is_there(scan) else None


def cases_of_scan(scan: Path) -> list[Path]:
    """The folders of the cases that were made of a scan and are still there, the latest last.

    A scan may hold several patients, and each case is of one of them.
    """
    scan = (archive_of(scan) or scan).resolve()
    stored = {Path(case): Path(path) for case, path in _stored().items()}
    known = {case: path for case, path in stored.items() if case not in _SCANS} | _SCANS
    return [
        case
        for case, path in known.items()
        if (archive_of(path) or path).resolve() == scan and case.is_dir()
    ]


def _is_there(scan: Path) -> bool:
    return scan.is_dir() or (is_archive(scan) and scan.is_file())


def folder_of_series(series: Iterable[Series]) -> Path:
    """The innermost folder that holds all series, which may hold those of one patient alone."""
    folders = (s.location.parent if s.location.is_file() else s.location for s in series)
    return Path(os.path.commonpath([folder.absolute() for folder in folders]))


@contextmanager
def _locked() -> Iterator[None]:
    """Keep another napari from changing the file between its reading and its writing."""
    path = data_folder() / LOCK_NAME
    with ExitStack() as stack:
        # Without the lock, a scan may have to be asked for after the next start.
        with suppress(OSError, Timeout):
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(file_lock(path, timeout=_MAX_WAIT_S))
        yield


def _stored() -> dict[str, str]:
    try:
        content = json.loads((data_folder() / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, *DAMAGED):
        return {}
    if not isinstance(content, dict):
        return {}
    return {str(case): str(scan) for case, scan in content.items()}


def _store(scans: Mapping[str, str]) -> None:
    latest = dict(list(scans.items())[-MAX_STORED:])
    path = data_folder() / FILE_NAME
    with suppress(OSError, OutputError):  # the folder is asked for after the next start
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(latest, indent=1, ensure_ascii=False), overwrite=True)
