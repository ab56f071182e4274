"""Files that a killed process was moving into place: all are put back as they were before.

Whoever looks for files in a folder calls `recover_interrupted_writes` first: an earlier file is
hidden while new ones are moved. The functions of `smalltumor.files.listings` do so.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from smalltumor.errors import OutputError, SmalltumorWarning
from smalltumor.files.atomic import check_output
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.transactions.journal import Journal, is_journal
from smalltumor.files.transactions.moves import RolledBack, complete_or_roll_back

_LEFT: set[Path] = set()
"""Files and journals about which a warning was given; they are tried again at each look."""

_LONG_S = 5.0
"""Seconds after which files are no longer being moved, unless something stops it."""


def recover_interrupted_writes(folder: Path) -> None:
    """Put back what a killed process was moving in a folder, and in others at the same time.

    If it had moved all files, the new ones stay. An earlier file in whose place somebody has saved
    another one since is kept beside it, as ``NAME.before``. What cannot be moved now, as on a drive
    that is read-only, is left for later. A `SmalltumorWarning` says what was put back or is left.
    """
    with suppress(OSError):
        with os.scandir(folder) as found:
            names = sorted(entry.name for entry in found if is_journal(entry.name))
        for name in names:
            _recover(Path(folder, name))


def _recover(path: Path) -> None:
    """Undo what one journal says, if its writer has ended."""
    try:
        journal = Journal.read(path)
    except (OSError, *DAMAGED):
        return
    with suppress(OutputError, OSError):
        if journal.writer_has_ended():
            _tell(complete_or_roll_back(journal.related()))
        elif journal.is_of_another_computer and path not in _LEFT and journal.age > _LONG_S:
            _LEFT.add(path)
            computer = (journal.computer.split() or ["another computer"])[0]
            _warn(
                f"{computer} was replacing files in {journal.folder}; if its "
                "command was killed, the earlier files are put back ten minutes after it"
            )


def recover_around(paths: Iterable[Path]) -> None:
    """Recover interrupted writes in folders, and in those of files, whether these exist or not."""
    real = (Path(os.path.realpath(path)) for path in paths)
    for folder in dict.fromkeys(path if _is_folder(path) else path.parent for path in real):
        recover_interrupted_writes(folder)


def _is_folder(path: Path) -> bool:
    # `Path.is_dir` raises what is no answer, such as a name that is too long, before Python 3.14.
    return os.path.isdir(path)  # noqa: PTH112


def existing(paths: Iterable[Path]) -> list[Path]:
    """The files that exist after recovery around them, as far as may be seen."""
    paths = list(paths)
    recover_around(paths)
    return [path for path in paths if os.path.exists(path)]  # noqa: PTH110


def check_outputs(
    paths: Iterable[Path], *, overwrite: bool = False, sources: Iterable[Path] = ()
) -> None:
    """As `check_output`, for files that are written together, after recovery around them.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    paths, sources = list(paths), list(sources)
    recover_around(paths)
    for path in paths:
        check_output(path, overwrite=overwrite, sources=sources)


def _tell(rolled_back: RolledBack) -> None:
    """Warn in one line of files that were put back, and in another of those that cannot be."""
    parts = [*_in_folders("put back in", rolled_back.put_back)]
    parts += _in_folders("removed again from", rolled_back.removed)
    parts += [
        f"{path} was saved since, so the one before the command is {earlier.name}"
        for path, earlier in rolled_back.saved_since.items()
    ]
    if parts:
        _warn("; ".join(["a command was killed while it replaced files", *parts]))
    for path, kept in rolled_back.left.items():
        if kept not in _LEFT:
            _LEFT.add(kept)
            _warn(
                f"{path} could not be restored after a command was killed; its earlier version is "
                f"{kept.name}"
            )


def _warn(text: str) -> None:
    # Without a register of warnings: the same may happen again while a window is open.
    warnings.warn_explicit(text, SmalltumorWarning, __file__, 1, registry={})


def _in_folders(what: str, paths: Iterable[Path]) -> Iterator[str]:
    """What happened to files, for each folder."""
    for folder, files in groupby(sorted(paths), key=lambda path: path.parent):
        yield f"{what} {folder}: {', '.join(path.name for path in files)}"
