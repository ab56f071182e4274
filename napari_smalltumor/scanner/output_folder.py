"""Where a prepared case is written: a new folder, never within the scan."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from smalltumor.errors import OutputError
from smalltumor.files.atomic import check_output_folder
from smalltumor.scanner.prepared.lock import LOCK

from napari_smalltumor.scanner.archives import is_unpacked

_FOLDER = "prepared"


def suggested_folder(scan: Path, name: str) -> Path:
    """A folder that does not exist: beside the scan, else in the user's own folder.

    Parameters
    ----------
    scan : Path
        Folder of the scan.
    name : str
        Name of the case.
    """
    beside = scan.absolute().parent
    # A disk that is read-only, such as a CD, is no place for it; nor is the root of one.
    writable = os.access(beside, os.W_OK | os.X_OK) and beside != scan.absolute()
    parent = (beside if writable else Path.home()) / _FOLDER
    names = (name if number == 1 else f"{name}_{number}" for number in count(1))
    return next(parent / each for each in names if not (parent / each).exists())


def folder_problem(folder: str, scan: Path) -> str:
    """Why a case cannot be written to a folder, as a sentence; empty if it can."""
    if not folder.strip():
        return "Choose a folder for the prepared case."
    path = Path(folder)
    if not path.is_absolute():
        return f"{folder} is not the full path of a folder."
    if _is_within(path, scan):
        return f"{folder} lies within the scan, which is never changed; choose another folder."
    if is_unpacked(path):
        return f"{folder} is deleted when napari ends; choose another folder."
    try:
        # A killed preparation leaves its lock. One that runs is refused when Prepare is clicked.
        if path.is_dir() and any(file.name != LOCK for file in path.iterdir()):
            return f"{folder} is not empty; choose a new folder."
        check_output_folder(path)
    except OutputError as error:
        return f"{error}; choose another folder."
    except OSError as error:
        return f"{folder} cannot be used: {error.strerror or error}; choose another folder."
    return ""


def _is_within(path: Path, folder: Path) -> bool:
    resolved = Path(os.path.realpath(folder))
    return Path(os.path.realpath(path)).is_relative_to(resolved)
