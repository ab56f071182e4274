"""Whether files exist, by one listing of each folder."""

from __future__ import annotations

import os
from pathlib import Path


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


def _files_in(folder: Path) -> frozenset[str]:
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if entry.is_file())
    except OSError:
        return frozenset()
