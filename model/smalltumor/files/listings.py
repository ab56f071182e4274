"""Listing folders: whether files exist, and all that is below a folder.

What a killed process was moving in a folder is put back before the folder is listed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from smalltumor.errors import CaseError
from smalltumor.files.existence import says_absent
from smalltumor.files.transactions.journal import is_journal
from smalltumor.files.transactions.recovery import recover_interrupted_writes

_OF_SYSTEM = ("lost+found", "System Volume Information", "$RECYCLE.BIN")
"""Folders of a drive that hold no files of its user, who may not read them."""


class FolderListings:
    """Lists each folder once; make a new one to see what has changed since.

    On a network drive, each look at a single file takes a round trip.
    """

    def __init__(self) -> None:
        self._files: dict[Path, frozenset[str]] = {}

    def is_file(self, path: Path) -> bool:
        """Whether a file exists; False in a folder that cannot be listed."""
        folder = path.parent
        if folder not in self._files:
            self._files[folder] = _files_in(folder)
        return path.name in self._files[folder]


def entries(folder: Path) -> list[Path]:
    """What is in a folder, sorted by name; empty if there is no such folder.

    Unlike `Path.glob`, it does not take a folder that cannot be listed for an empty one.

    Raises
    ------
    CaseError
        If it cannot be listed.
    """
    try:
        return sorted(folder / entry.name for entry in _recovered(folder))
    except OSError as error:
        if _is_none(error):
            return []
        raise _unreadable_folder_error(folder, error) from error


def visible_entries(folder: Path) -> list[Path]:
    """As `entries`, without those whose names begin with a dot."""
    return [path for path in entries(folder) if not path.name.startswith(".")]


def may_exist(path: Path) -> bool:
    """Whether a file exists, or may: in a folder that may not be entered, reading it tells why."""
    try:
        path.stat()
    except OSError as error:
        return not _is_none(error)
    return True


def _is_none(error: OSError) -> bool:
    """Whether there is no such file or folder; a link to itself cannot be entered."""
    return isinstance(error, FileNotFoundError | NotADirectoryError) and says_absent(error)


def walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """As `os.walk`, but a folder that cannot be listed is not left out.

    Raises
    ------
    CaseError
        If there is one.
    """
    for root, folders, names in os.walk(folder, onerror=_refuse):
        if any(map(is_journal, names)):
            names[:] = _recovered_names(Path(root))
        yield root, folders, names


def walk_once(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Walk through a folder, then into linked folders, and into each folder once.

    A folder with a link beside it has its own path, so that a new link changes no name.

    Yields
    ------
    folder : Path
    folders : list of str
        Names of the folders in it; those that are removed are not walked through.
    files : list of str
        Names of its files, sorted.

    Raises
    ------
    CaseError
        As `walk`.
    """
    visited: set[str] = set()
    starts = deque([folder])
    while starts:
        for root, folders, names in walk(starts.popleft()):
            if (real := os.path.realpath(root)) in visited:
                folders.clear()
                continue
            visited.add(real)
            yield Path(root), folders, sorted(names)
            starts.extend(Path(root, name) for name in folders if Path(root, name).is_symlink())


def _refuse(error: OSError) -> None:
    if Path(error.filename).name in _OF_SYSTEM:
        return
    raise _unreadable_folder_error(error.filename, error) from error


def _unreadable_folder_error(folder: Path | str, error: OSError) -> CaseError:
    return CaseError(f"{folder} cannot be read: {error.strerror or error}")


def _recovered_names(folder: Path) -> list[str]:
    """The names of all but folders when interrupted writes are recovered."""
    try:
        return [entry.name for entry in _recovered(folder) if not entry.is_dir()]
    except OSError as error:
        raise _unreadable_folder_error(folder, error) from error


def _files_in(folder: Path) -> frozenset[str]:
    try:
        return frozenset(entry.name for entry in _recovered(folder) if entry.is_file())
    except OSError:
        return frozenset()


def _recovered(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder when interrupted writes are recovered; may raise OSError."""
    found = _scanned(folder)
    if not any(is_journal(entry.name) for entry in found):
        return found
    recover_interrupted_writes(folder)
    return _scanned(folder)


def _scanned(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return list(found)
