"""Where a user's programs keep files of their own, on each system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CACHE_VARIABLE = "SMALLTUMOR_CACHE"
"""Environment variable that names another folder for what can be made again."""

DATA_VARIABLE = "SMALLTUMOR_DATA"
"""Environment variable that names another folder for what must not be lost."""

_NAME = "napari-smalltumor"


def cache_folder() -> Path:
    """What can be made again."""
    return _named(CACHE_VARIABLE) or _base("Caches", "XDG_CACHE_HOME", ".cache") / _NAME


def data_folder() -> Path:
    """What must not be lost."""
    base = _base("Application Support", "XDG_DATA_HOME", ".local/share")
    return _named(DATA_VARIABLE) or base / _NAME


def _named(variable: str) -> Path | None:
    name = os.environ.get(variable)
    return Path(name) if name else None


def _base(library: str, variable: str, otherwise: str) -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / library
    return Path(os.environ.get(variable) or Path.home() / otherwise)
