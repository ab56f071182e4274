"""Names of files that a user types: an ending is appended, or another kind of file refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from smalltumor.errors import OutputError

_FILE_ENDING = re.compile(r"\.[a-z]\w{0,4}$", re.IGNORECASE)


def with_ending(path: Path, endings: Sequence[str], kind: str) -> Path:
    """The path, with the first of the endings appended if it has none.

    A dot is no ending if more than five characters or a digit follow it, as in ``Visit 1.5``.

    Parameters
    ----------
    path : Path
    endings : sequence of str
        Those of the files that are written, lower case.
    kind : str
        What is written, such as ``a mask``.

    Raises
    ------
    OutputError
        If the name has the ending of another kind of file.
    """
    name = path.name
    if name.lower().endswith(tuple(endings)):
        return path
    if _FILE_ENDING.search(name):
        raise OutputError(f"{name}: the name of {kind} ends in {' or '.join(endings)}")
    return path.with_name(name + endings[0])
