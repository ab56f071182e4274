"""Files that a killed process was moving into place: all are put back as they were before.

Whoever looks for files in a folder calls `undo_unfinished_moves` first: an earlier file is hidden
while new ones are moved. The functions of `smalltumor.files.listings` do so.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from smalltumor.errors import OutputError, SmalltumorWarning
from smalltumor.files.atomic import check_output
from smalltumor.files.move_list import MoveList, is_list
from smalltumor.files.moves import Undone, settle


def undo_unfinished_moves(folder: Path) -> None:
    """Put back what a killed process was moving in a folder, and in others at the same time.

    If it had moved all files, the new ones stay. An earlier file in whose place somebody has saved
    another one since is kept beside it, as ``NAME.before``. What cannot be moved now, as on a drive
    that is read-only, is left for later. A `SmalltumorWarning` says what was put back.
    """
    with suppress(OSError):
        with os.scandir(folder) as found:
            names = sorted(entry.name for entry in found if is_list(entry.name))
        for name in names:
            undo_listed(Path(folder, name))


def undo_listed(path: Path) -> None:
    """As `undo_unfinished_moves`, for a list that was found."""
    with suppress(OSError, OutputError, ValueError, TypeError, KeyError, RecursionError):
        found = MoveList.read(path)
        if found.writer_has_ended():
            _tell(settle(found.belonging()))


def undo_around(paths: Iterable[Path]) -> None:
    """Undo unfinished moves in folders, and in those of files, whether these exist or not."""
    real = (Path(os.path.realpath(path)) for path in paths)
    for folder in dict.fromkeys(path if path.is_dir() else path.parent for path in real):
        undo_unfinished_moves(folder)


def existing(paths: Iterable[Path]) -> list[Path]:
    """The files that exist when unfinished moves around them are undone."""
    paths = list(paths)
    undo_around(paths)
    return [path for path in paths if path.exists()]


def check_outputs(
    paths: Iterable[Path], *, overwrite: bool = False, sources: Iterable[Path] = ()
) -> None:
    """As `check_output`, for files that are written together; unfinished moves are undone first.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    paths, sources = list(paths), list(sources)
    undo_around(paths)
    for path in paths:
        check_output(path, overwrite=overwrite, sources=sources)


def _tell(undone: Undone) -> None:
    """Warn of each folder in which something was undone."""
    told = {*undone.put_back, *undone.removed, *undone.saved_since}
    for folder in sorted({path.parent for path in told}):
        # Without a register of warnings: the same may happen again while a window is open.
        text = f"{folder}: {_text(undone, folder)}"
        warnings.warn_explicit(text, SmalltumorWarning, __file__, 1, registry={})


def _text(undone: Undone, folder: Path) -> str:
    parts = ["a command was killed while it replaced files"]
    for paths, what in ((undone.put_back, "put back"), (undone.removed, "removed again")):
        names = [path.name for path in paths if path.parent == folder]
        parts += [f"{what}: {', '.join(names)}"] if names else []
    parts += [
        f"{path.name} was saved since, so the one before the command is {earlier.name}"
        for path, earlier in undone.saved_since.items()
        if path.parent == folder
    ]
    return "; ".join(parts)
