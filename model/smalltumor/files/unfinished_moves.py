"""Files that a killed process was moving into place: all are put back as they were before.

Before files are moved, their names are written to a hidden file in their folder. The process holds
a lock on it, which the system drops when the process ends, however that happens.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from platform import node

from smalltumor.errors import OutputError
from smalltumor.files.atomic import TEMPORARY_FILES, move_into_place

KEPT_FILES = ".smalltumor-*.kept"
_LISTS = ".smalltumor-*.moves"
_DEAD_AFTER_S = 600.0
"""Age at which a list is of a process that has ended, on drives without locks: moving takes
milliseconds."""


@dataclass(frozen=True)
class Move:
    """A file that is moved into place; all names are of one folder.

    Parameters
    ----------
    target : str
        The final name.
    temporary : str
        The complete new file until it is moved; empty for a file that is only removed.
    kept : str
        Where an earlier file is meanwhile; empty if there is none.
    size, time : int
        Of the new file: bytes, and when it was written, in ns.
    """

    target: str
    temporary: str = ""
    kept: str = ""
    size: int = 0
    time: int = 0


def planned(staged: Mapping[Path, Path], aside: Mapping[Path, Path], folder: Path) -> list[Move]:
    """The moves of new files in a folder, and of earlier ones that are only removed.

    Parameters
    ----------
    staged : mapping of Path to Path
        By final name, the new file.
    aside : mapping of Path to Path
        By final name, where an earlier file is moved meanwhile.
    folder : Path
    """
    moves = []
    for target in (*staged, *(path for path in aside if path not in staged)):
        if target.parent != folder:
            continue
        kept = aside[target].name if target in aside else ""
        move = Move(target.name, kept=kept)
        if target in staged:
            new = staged[target]
            status = new.stat()
            move = Move(target.name, new.name, kept, status.st_size, status.st_mtime_ns)
        moves.append(move)
    return moves


@contextmanager
def listed(moves: list[Move], folder: Path) -> Iterator[None]:
    """Keep a list of moves in a folder until the block has ended or raised.

    The list stays if an earlier file could not be put back: a later call tries it again.
    """
    name = f".smalltumor-{secrets.token_hex(6)}"
    being_written, path = folder / f"{name}.part", folder / f"{name}.moves"
    try:
        with being_written.open("w", encoding="utf-8") as file:
            _lock(file.fileno())
            json.dump({"host": node(), "moves": [asdict(move) for move in moves]}, file)
            file.flush()
            os.fsync(file.fileno())
            if sys.platform == "win32":  # an open file cannot be renamed there
                file.close()
            being_written.rename(path)
            yield
    finally:
        being_written.unlink(missing_ok=True)
        if not any((folder / move.kept).exists() for move in moves if move.kept):
            path.unlink(missing_ok=True)


def undo_unfinished_moves(folder: Path) -> None:
    """Put back what a killed process was moving in a folder; nothing if it had moved all files.

    An earlier file in whose place somebody has saved another one since is kept beside it, as
    ``NAME.before``. What cannot be moved now, as on a drive that is read-only, is left for later.
    """
    with suppress(OSError):
        for path in sorted(folder.glob(_LISTS)):
            with suppress(*(OSError, OutputError, ValueError, TypeError, KeyError, RecursionError)):
                _undo_listed(path)


def _undo_listed(path: Path) -> None:
    with path.open("r+", encoding="utf-8") as file:
        content = json.load(file)
        if not _has_ended(file.fileno(), path, is_here=content["host"] == node()):
            return
        _undo([Move(**each) for each in content["moves"]], path.parent)
    path.unlink(missing_ok=True)


def _undo(moves: Sequence[Move], folder: Path) -> None:
    for move in moves:
        _check_names(move)
    new = [_is_the_new_file(folder / m.target, m) for m in moves if m.temporary]
    finished = bool(new) and all(new)
    for move in moves:
        target, kept = folder / move.target, folder / move.kept
        if finished:
            if move.kept:
                kept.unlink(missing_ok=True)
        elif move.kept and kept.exists():
            _put_back(kept, target, is_new=_is_the_new_file(target, move))
        elif not move.kept and _is_the_new_file(target, move):
            target.unlink()
    for move in moves:
        if move.temporary:
            (folder / move.temporary).unlink(missing_ok=True)


def _put_back(kept: Path, target: Path, *, is_new: bool) -> None:
    """Give an earlier file its name in place of a new one, or one beside that of somebody else."""
    if is_new:
        kept.replace(target)
        return
    try:
        move_into_place(kept, target, overwrite=False)
    except OutputError:  # saved by somebody since
        kept.rename(_free_name(target))
    kept.unlink(missing_ok=True)  # the first may have made a second name


def _check_names(move: Move) -> None:
    """Check that a move can be one of this program's: a list may come with somebody's data."""
    hidden = ((move.temporary, TEMPORARY_FILES), (move.kept, KEPT_FILES))
    if any(name and not fnmatchcase(name, pattern) for name, pattern in hidden):
        raise ValueError(f"{move} moves files of others")
    for name in (move.target, move.temporary, move.kept):
        if Path(name).name != name:
            raise ValueError(f"{name} is in another folder")


def _is_the_new_file(path: Path, move: Move) -> bool:
    if not move.temporary or not path.exists():
        return False
    status = path.stat()
    return (status.st_size, status.st_mtime_ns) == (move.size, move.time)


def _free_name(path: Path) -> Path:
    name = path.with_name(f"{path.name}.before")
    return name if not name.exists() else path.with_name(f"{name.name}{secrets.token_hex(3)}")


def _lock(descriptor: int) -> None:
    """Lock an open file; nothing on a drive or a system without such locks."""
    if sys.platform != "win32":
        import fcntl

        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _has_ended(descriptor: int, path: Path, *, is_here: bool) -> bool:
    """Whether the process has ended that wrote a list of moves.

    Network drives may drop the locks of other computers: only those of this one count.
    """
    if is_here and sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass
        else:
            return True
    return time.time() - path.stat().st_mtime > _DEAD_AFTER_S
