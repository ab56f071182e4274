"""Journals of files that a process moves into place, by which others see what a kill has left.

There is a journal in each folder, and it names the files of this folder alone: one that comes with
somebody's data can move nothing elsewhere. The journals of one transaction have one name.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from smalltumor.files.damaged import DAMAGED
from smalltumor.files.existence import exists, is_absent
from smalltumor.files.processes import is_running, this_computer
from smalltumor.files.transactions.drive_time import drive_time
from smalltumor.files.transactions.temporary_names import TEMPORARY_FILES, temporary_name

KEPT_FILES = ".smalltumor-*.kept"
"""Pattern of earlier files, until all new ones are in place."""

_MAX_AGE_S = 600.0
"""Age at which a writer has ended of which this cannot be known otherwise, as on another computer.

Moving takes milliseconds. But a computer that sleeps, or a drive that does not answer, can stop a
writer for minutes, also in the middle of a move; if its files were put back meanwhile, it would
fail, and the file of this move could stay hidden.
"""

_FIRST_WRITTEN_S = 1e9
"""Earlier times, in seconds since 1970, are set by `Journal.release`; some drives begin in 1980."""


class JournalState(StrEnum):
    """What is being done with the files of a journal: the ending of its name."""

    MOVING = ".moves"
    MOVED = ".moved"
    ROLLING_BACK = ".undo"


@dataclass(frozen=True)
class Move:
    """A file that is moved into place, or only removed.

    Parameters
    ----------
    target : Path
    temporary : Path, optional
        The complete new file, until it is moved; None for a file that is only removed.
    kept : Path, optional
        Where an earlier file is meanwhile; None if there is none.
    size, time : int
        Of the new file: bytes, and when it was written, in ns.
    """

    target: Path
    temporary: Path | None = None
    kept: Path | None = None
    size: int = 0
    time: int = 0

    @property
    def folder(self) -> Path:
        """The only folder in which it moves files."""
        return self.target.parent

    def may_hide_earlier_file(self) -> bool:
        """Whether an earlier file is aside, or this cannot be told, as on a drive that fails."""
        return self.kept is not None and not is_absent(self.kept)

    def is_done(self) -> bool:
        """Whether the new file is in its place; a file that another process has saved is not."""
        if self.temporary is None:
            return False
        with suppress(OSError):
            status = self.target.stat()
            return (status.st_size, status.st_mtime_ns) == (self.size, self.time)
        return False


@dataclass(frozen=True)
class Journal:
    """The moves in one folder.

    Parameters
    ----------
    folder : Path
    name : str
        Hidden, without the ending for the state.
    moves : tuple of Move
    others : tuple of str
        The folders of the related journals, seen from this folder.
    computer, process, written
        Who wrote it, and when, in seconds since 1970.
    """

    folder: Path
    name: str
    moves: tuple[Move, ...]
    others: tuple[str, ...] = ()
    computer: str = field(default_factory=this_computer)
    process: int = field(default_factory=os.getpid)
    written: float = field(default_factory=time.time)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a journal.

        Raises
        ------
        OSError, or one of `DAMAGED`
            If it cannot be read, or cannot be one of this program's.
        """
        content = json.loads(path.read_text(encoding="utf-8"))
        others, process = tuple(map(str, content["others"])), int(content["process"])
        if process < 0 or not all(map(_is_possible, others)):
            raise ValueError("no process, or no folder, is called so")
        return cls(
            folder=path.parent,
            name=path.stem,
            moves=tuple(_move(path.parent, **each) for each in content["moves"]),
            others=others,
            computer=str(content["computer"]),
            process=process,
            written=float(content["written"]),
        )

    def write(self) -> None:
        """Write the journal, whole or not at all, for moves that begin now; may raise OSError."""
        content = {
            "computer": self.computer,
            "process": self.process,
            "written": self.written,
            "others": self.others,
            "moves": [_names(move) for move in self.moves],
        }
        being_written = self.folder / temporary_name()
        try:
            with being_written.open("w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                if any(move.kept for move in self.moves):  # a power failure could hide them
                    os.fsync(file.fileno())
            being_written.rename(self._path(JournalState.MOVING))
        finally:
            being_written.unlink(missing_ok=True)

    @property
    def state(self) -> JournalState | None:
        """What is being done; None if the journal is gone, and with it all that was to do."""
        return next((state for state in JournalState if exists(self._path(state))), None)

    def change(self, state: JournalState) -> bool:
        """Say that something else is done now; False if the journal is gone. May raise OSError."""
        now = self.state
        if now is None or now is state:
            return now is state
        with suppress(FileNotFoundError):  # another process was faster
            self._path(now).rename(self._path(state))
            return True
        return False

    def remove(self) -> None:
        """Remove the journal, unless an earlier file is neither in its place nor removed."""
        if any(move.may_hide_earlier_file() for move in self.moves):
            self.release()
            return
        with suppress(OSError):
            for state in JournalState:
                self._path(state).unlink(missing_ok=True)

    def release(self) -> None:
        """Leave what is to be done to whoever looks next, although this process still runs."""
        for state in JournalState:
            with suppress(OSError):
                os.utime(self._path(state), (0, 0))

    def related(self) -> list[Journal]:
        """This journal, and those of the other folders of the transaction that can be read."""
        found: list[Journal] = [self]
        for other in self.others:
            folder = Path(os.path.realpath(self.folder / other))
            for state in JournalState:
                with suppress(OSError, *DAMAGED):
                    found.append(Journal.read(folder / f"{self.name}{state}"))
        return found

    def writer_has_ended(self) -> bool:
        """Whether the writing process has ended, or released the journal; may raise OSError.

        Of one on another computer it is known by the age of the journal only. Locks would tell
        less: neither Windows nor all drives have them for a file that is renamed.
        """
        state = self.state
        if state is None:
            return False
        if self._path(state).stat().st_mtime < _FIRST_WRITTEN_S:
            return True
        runs = None if self.is_of_another_computer else is_running(self.process, self.written)
        return self.age > _MAX_AGE_S if runs is None else not runs

    @property
    def is_of_another_computer(self) -> bool:
        """Whether it was written on another computer, or in another container."""
        return self.computer != this_computer()

    @cached_property
    def age(self) -> float:
        """Seconds since it was written when first asked, by the drive's clock; may raise OSError.

        That of this computer may be another one than that of the server or of the writer.
        """
        now, state = drive_time(self.folder), self.state
        return 0.0 if state is None else now - self._path(state).stat().st_mtime

    def _path(self, state: JournalState) -> Path:
        return self.folder / f"{self.name}{state}"


def journals_of(moves: Iterable[Move]) -> list[Journal]:
    """A journal for each folder in which files are moved; none is written yet."""
    name, by_folder = f".smalltumor-{secrets.token_hex(6)}", _by_folder(moves)
    return [
        Journal(folder, name, tuple(own), tuple(_seen_from(folder, by_folder)))
        for folder, own in by_folder.items()
    ]


def is_journal(name: str) -> bool:
    """Whether a file has the name of a journal."""
    return name.startswith(".smalltumor-") and name.endswith(tuple(JournalState))


def _by_folder(moves: Iterable[Move]) -> Mapping[Path, list[Move]]:
    found: dict[Path, list[Move]] = {}
    for move in moves:
        found.setdefault(move.folder, []).append(move)
    return found


def _seen_from(folder: Path, folders: Iterable[Path]) -> Iterator[str]:
    """The other folders, relative to one: a drive may be elsewhere at the next start."""
    for other in folders:
        if other != folder:
            try:
                yield os.path.relpath(other, folder)
            except ValueError:  # on another drive of Windows
                yield str(other)


def _names(move: Move) -> dict[str, Any]:
    return {
        "target": move.target.name,
        "temporary": move.temporary and move.temporary.name,
        "kept": move.kept and move.kept.name,
        "size": move.size,
        "time": move.time,
    }


def _move(
    folder: Path, target: str, temporary: str | None, kept: str | None, size: int, time: int
) -> Move:
    """A move of a journal, if it can be this program's: it may come with somebody's data."""
    for name, pattern in ((target, "*"), (temporary, TEMPORARY_FILES), (kept, KEPT_FILES)):
        if name is None:
            continue
        is_name = Path(name).name == name and name not in ("", "..")
        if not is_name or not _is_possible(name) or not fnmatchcase(name, pattern):
            raise ValueError(f"{name} is a file of others")
    return Move(
        folder / target,
        None if temporary is None else folder / temporary,
        None if kept is None else folder / kept,
        int(size),
        int(time),
    )


def _is_possible(path: str) -> bool:
    """Whether it could be a path: it has no null character and, save on Windows, no half one."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False
