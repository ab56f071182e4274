"""What tells folders apart, such as those of two scans of one name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def distinctive_part(folder: Path | None, folders: Sequence[Path | None]) -> str:
    """The last parts of a folder that tell it from the others, without what all have in common.

    Parameters
    ----------
    folder : Path or None
    folders : sequence of (Path or None)
        With the folder itself.
    """
    if folder is None:
        return "no file"
    parts = [list(other.parts) for other in folders if other is not None]
    while len(parts) > 1 and all(p and p[-1] == parts[0][-1] for p in parts):
        parts = [p[:-1] for p in parts]
    own = parts[[f for f in folders if f is not None].index(folder)]
    for length in range(1, len(own) + 1):
        ending = own[-length:]
        if sum(p[-length:] == ending for p in parts) == 1:
            return "/".join(ending)
    return str(folder)
