"""Weights files that were chosen before, so that they stay in the lists of weights.

They are kept in the user's data folder; without it, nothing is remembered.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from smalltumor.errors import OutputError
from smalltumor.files.atomic import write_text
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.user_dirs import create_user_folder, data_folder

_FILE = "recent_weights.json"
_MAX_FILES = 12


def recent_weights() -> list[Path]:
    """Files that were chosen, those that still exist, newest first."""
    return [path for path in _read() if path.is_file()]


def remember_weights(path: str) -> None:
    """Put a file first in the list; nothing is done for the shipped weights, an empty path."""
    chosen, known = Path(path), _read()
    if not path or known[:1] == [chosen]:
        return
    paths = [str(chosen), *(str(other) for other in known if other != chosen)]
    with suppress(OutputError):
        create_user_folder(data_folder())
        write_text(data_folder() / _FILE, json.dumps(paths[:_MAX_FILES], indent=2), overwrite=True)


def _read() -> list[Path]:
    try:
        stored = json.loads((data_folder() / _FILE).read_text(encoding="utf-8"))
    except (OSError, *DAMAGED):
        return []
    return [Path(path) for path in stored if isinstance(path, str)] if type(stored) is list else []
