"""Folders for files that programs keep for the user.

The system's own places, as platformdirs knows them, unless an environment variable names another.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

from smalltumor.errors import OutputError

CACHE_VARIABLE = "SMALLTUMOR_CACHE"
"""Environment variable with another folder for files that can be computed again."""

DATA_VARIABLE = "SMALLTUMOR_DATA"
"""Environment variable with another folder for files that must not be lost."""

_NAME = "napari-smalltumor"


def cache_folder() -> Path:
    """Folder for files that can be computed again; it may not exist."""
    default = platformdirs.user_cache_path(_NAME, appauthor=False)
    return Path(os.environ.get(CACHE_VARIABLE) or default)


def data_folder() -> Path:
    """Folder for files that must not be lost, such as autosaved edits; it may not exist."""
    default = platformdirs.user_data_path(_NAME, appauthor=False)
    if sys.platform == "darwin" and not default.exists():
        # Version 0.1 did not follow the XDG variables on macOS; its autosaves are still found.
        earlier = Path.home() / "Library" / "Application Support" / _NAME
        default = earlier if earlier.exists() else default
    return Path(os.environ.get(DATA_VARIABLE) or default)


def create_user_folder(folder: Path) -> None:
    """Create a folder that no other user can read, unless it exists.

    Raises
    ------
    OutputError
        If it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise OutputError(f"{folder} cannot be created: {error.strerror or error}") from error
