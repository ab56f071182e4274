"""The study to which a DICOM file belongs, and its folder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from smalltumor.errors import CaseError
from smalltumor.extras import require
from smalltumor.files.change_time import next_change_shows
from smalltumor.files.listings import walk
from smalltumor.scanner.dicom.files import is_dicom, is_directory
from smalltumor.scanner.dicom.headers import invalid_values_allowed

_HIGHEST_LEVELS = 2
"""Archives put the images in ``study/series``, viewers in ``study/DICOM/series``."""

_TAGS = ["StudyInstanceUID"]
_MOST_FOLDERS = 200
_MOST_FILES = 1_000
"""Files that are looked at; a folder with more is not taken for that of one study."""


class StudyFolder(NamedTuple):
    """Where a study is.

    Parameters
    ----------
    folder : Path
        It may hold other studies as well.
    uid : str
        Study Instance UID; empty if the file does not tell it.
    """

    folder: Path
    uid: str


class _TooManyFilesError(Exception):
    """A folder has more files or subfolders than are looked at."""


def is_dicom_file(path: Path) -> bool:
    """Whether a path is a file of DICOM images, or the DICOMDIR of a medium."""
    return path.is_file() and (is_directory(path) or is_dicom(path))


def folder_of_study(path: Path) -> StudyFolder:
    """The study of a DICOM file, and the outermost folder that holds no other one.

    Parameters
    ----------
    path : Path
        A file for which `is_dicom_file` holds.

    Returns
    -------
    StudyFolder
        With the folder of the file, or a folder above it if several folders in that one hold the
        study and none holds another one. The folder of the file itself may hold other studies.

    Raises
    ------
    MissingPackageError
        If pydicom is not installed.
    """
    folder = path.absolute().parent
    uid = "" if is_directory(path) else _study_of(path)
    if not uid:
        return StudyFolder(folder, uid)
    above = list(islice(folder.parents, _HIGHEST_LEVELS))
    changed_ns = tuple(each.stat().st_mtime_ns for each in (folder, *above))
    if not all(map(next_change_shows, changed_ns)):
        return StudyFolder(_outermost(uid, folder), uid)
    return StudyFolder(_known_outermost(uid, folder, changed_ns), uid)


@lru_cache(maxsize=16)
def _known_outermost(study: str, folder: Path, changed_ns: tuple[int, ...]) -> Path:
    """As `_outermost`; many files may be opened together."""
    return _outermost(study, folder)


def _outermost(study: str, folder: Path) -> Path:
    """The outermost folder with the study alone."""
    for above in islice(folder.parents, _HIGHEST_LEVELS):
        if not _holds_only(study, above):
            break
        folder = above
    return folder


def _holds_only(study: str, folder: Path) -> bool:
    """Whether several folders in a folder hold DICOM files of a study, and none of another one."""
    holding = set()
    try:
        for path, found in _studies_in(folder):
            if found != study:
                return False
            holding.add(path.relative_to(folder).parts[0])
    except (_TooManyFilesError, CaseError, OSError):
        return False
    return len(holding) > 1


def _studies_in(folder: Path) -> Iterator[tuple[Path, str]]:
    """DICOM files in a folder and its subfolders, with their studies.

    Of a folder without subfolders, which holds a series, one file is read.
    """
    looked_at = 0
    for count, (root, folders, names) in enumerate(walk(folder), start=1):
        if count > _MOST_FOLDERS:
            raise _TooManyFilesError
        is_series = bool(not folders and Path(root) != folder)
        for path in (Path(root, name) for name in sorted(names) if not name.startswith(".")):
            looked_at += 1
            if looked_at > _MOST_FILES:
                raise _TooManyFilesError
            found = "" if is_directory(path) or not is_dicom(path) else _study_of(path)
            if found:
                yield path, found
                if is_series:
                    break


@invalid_values_allowed()
def _study_of(path: Path) -> str:
    pydicom: Any = require("pydicom", "reading DICOM files")
    try:
        header = pydicom.dcmread(path, specific_tags=_TAGS, stop_before_pixels=True, force=True)
    except Exception:  # of many kinds for a damaged file, which is reported when it is read
        return ""
    return str(header.get("StudyInstanceUID") or "")
