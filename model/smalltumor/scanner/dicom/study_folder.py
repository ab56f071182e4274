"""The folder of the study to which a DICOM file belongs."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from smalltumor.files.requirements import require
from smalltumor.scanner.dicom.files import files_in, is_dicom, is_directory

_HIGHEST_LEVELS = 2
"""Archives put the images in ``study/series``, viewers in ``study/DICOM/series``."""

_TAGS = ["StudyInstanceUID"]
_MOST_FOLDERS = 200
_MOST_FILES = 20
"""Files of a folder that are looked at for the first DICOM file."""


def is_dicom_file(path: Path) -> bool:
    """Whether a path is a file of DICOM images, or the DICOMDIR of a medium."""
    return path.is_file() and (is_directory(path) or is_dicom(path))


def folder_of_study(path: Path) -> Path:
    """The outermost folder around a DICOM file that holds its study, and no other one.

    Parameters
    ----------
    path : Path
        A file for which `is_dicom_file` holds.

    Returns
    -------
    Path
        The folder of the file; or a folder above it, if all folders in that one hold the study.

    Raises
    ------
    MissingPackageError
        If pydicom is not installed.
    """
    folder = path.absolute().parent
    study = "" if is_directory(path) else _study_of(path)
    if not study:
        return folder
    above = list(islice(folder.parents, _HIGHEST_LEVELS))
    return _outermost(study, folder, tuple(each.stat().st_mtime_ns for each in (folder, *above)))


@lru_cache(maxsize=16)
def _outermost(study: str, folder: Path, changed_ns: tuple[int, ...]) -> Path:
    """The outermost folder with the study alone; many files may be opened together."""
    for above in islice(folder.parents, _HIGHEST_LEVELS):
        if not _holds_only(study, above):
            break
        folder = above
    return folder


def _holds_only(study: str, folder: Path) -> bool:
    """Whether several folders in a folder hold DICOM files of a study, and none of another one.

    Of each folder, one file is read.
    """
    try:
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return False
    folders = [path for path in inside if path.is_dir()]
    if len(folders) > _MOST_FOLDERS:
        return False
    files = [path for path in inside[:_MOST_FILES] if path.is_file() and is_dicom(path)]
    of_folders = [found for each in folders if (found := _study_in(each))]
    return len(of_folders) > 1 and {*of_folders, *map(_study_of, files)} == {study}


def _study_in(folder: Path) -> str:
    files = islice(files_in(folder), _MOST_FILES)
    return next((_study_of(path) for path in files if is_dicom(path)), "")


def _study_of(path: Path) -> str:
    pydicom: Any = require("pydicom", "reading DICOM files")
    try:
        header = pydicom.dcmread(path, specific_tags=_TAGS, stop_before_pixels=True, force=True)
    except Exception:  # of many kinds for a damaged file, which is reported when it is read
        return ""
    return str(header.get("StudyInstanceUID") or "")
