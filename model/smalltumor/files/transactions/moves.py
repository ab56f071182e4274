"""Files that are moved into place together: all of them, or all are as before."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from smalltumor.errors import OutputError
from smalltumor.files.atomic import move_into_place
from smalltumor.files.existence import exists
from smalltumor.files.transactions.journal import Journal, JournalState, Move


@dataclass
class RolledBack:
    """What was rolled back.

    Parameters
    ----------
    put_back : list of Path
        Earlier files that have their names again.
    removed : list of Path
        New files in whose place there was none.
    saved_since : dict of Path to Path
        Files that somebody has saved since, which stay, and where the earlier ones are now.
    left : dict of Path to Path
        Earlier files that could not be put back, and where they are.
    """

    put_back: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    saved_since: dict[Path, Path] = field(default_factory=dict)
    left: dict[Path, Path] = field(default_factory=dict)


def move_all(moves: Sequence[Move], journals: Sequence[Journal], *, overwrite: bool) -> None:
    """Move earlier files aside, the last one first, and then new ones into place.

    If the process is killed in between, files are missing, but old and new ones are not mixed.

    Parameters
    ----------
    moves : sequence of Move
        The last one is of the file whose presence tells that the others are complete.
    journals : sequence of Journal
        Those of these moves; `complete_or_roll_back` has to be called next, whatever is raised.
    overwrite : bool

    Raises
    ------
    OutputError
        If a file cannot be moved, or exists and may not be replaced.
    """
    for move in reversed(moves):
        if move.kept is not None:
            _check_not_rolled_back(journals)
            _replace(move.target, move.kept, move.target)
    for move in moves:
        if move.temporary is not None:
            _check_not_rolled_back(journals)
            place(move.temporary, move.target, overwrite=overwrite)
    _mark_all_moved(journals)


def _mark_all_moved(journals: Sequence[Journal]) -> None:
    for index, journal in enumerate(journals):
        try:
            is_changed = journal.change(JournalState.MOVED)
        except OSError as error:
            if index > 0:  # the first journal has said it of all, see `complete_or_roll_back`
                return
            raise _not_replaced_error(journal.moves[-1].target, error) from error
        if not is_changed:
            raise _rolled_back_by_others_error(journal)


def _check_not_rolled_back(journals: Sequence[Journal]) -> None:
    """Check that this process was not stopped for so long that another one took it for killed."""
    for journal in journals:
        try:
            is_moving = journal.state is JournalState.MOVING
        except OSError as error:
            raise _not_replaced_error(journal.moves[-1].target, error) from error
        if not is_moving:
            raise _rolled_back_by_others_error(journal)


def _rolled_back_by_others_error(journal: Journal) -> OutputError:
    return OutputError(f"{journal.folder}: another process has put back the earlier files")


def place(temporary: Path, target: Path, *, overwrite: bool) -> None:
    """Move a complete file into place; raises OutputError."""
    try:
        move_into_place(temporary, target, overwrite)
    except OSError as error:
        raise _not_replaced_error(target, error) from error


def complete_or_roll_back(journals: Sequence[Journal]) -> RolledBack:
    """End what journals say: keep the new files if all were moved, or else the earlier ones.

    Other processes may do the same at the same time. What cannot be moved or removed stays, and the
    journal with it.
    """
    rolled_back = RolledBack()
    try:
        all_moved = any(journal.state is JournalState.MOVED for journal in journals)
    except OSError:  # which files stay cannot be told now
        _record_left(_moves_of(journals), rolled_back)
        _release(journals)
        return rolled_back
    if all_moved:
        _commit(journals)
        return rolled_back
    for journal in journals:
        try:
            if journal.change(JournalState.ROLLING_BACK):
                _roll_back(journal.moves, rolled_back)
        except OSError:
            _record_left(journal.moves, rolled_back)
    _remove(journals)
    return rolled_back


def _commit(journals: Sequence[Journal]) -> None:
    try:
        # Before the first earlier file is removed: no journal may say otherwise.
        for journal in journals:
            journal.change(JournalState.MOVED)
        for move in _moves_of(journals):
            if move.kept is not None:
                move.kept.unlink(missing_ok=True)
    except OSError:
        _release(journals)
        return
    _remove(journals)


def _roll_back(moves: Iterable[Move], rolled_back: RolledBack) -> None:
    for move in moves:
        try:
            _roll_back_one(move, rolled_back)
        except OSError:
            _record_left([move], rolled_back)


def _record_left(moves: Iterable[Move], rolled_back: RolledBack) -> None:
    for move in moves:
        if move.kept is not None and move.may_hide_earlier_file():
            rolled_back.left[move.target] = move.kept


def _roll_back_one(move: Move, rolled_back: RolledBack) -> None:
    if move.kept is None:
        if move.is_done():
            move.target.unlink(missing_ok=True)
            rolled_back.removed.append(move.target)
    elif exists(move.kept):
        found = _put_back(move.kept, move)
        if found == move.target:
            rolled_back.put_back.append(found)
        else:
            rolled_back.saved_since[move.target] = found


def _put_back(kept: Path, move: Move) -> Path:
    """Give an earlier file its name in place of a new one, or one beside that of somebody else."""
    if move.is_done():
        kept.replace(move.target)
        return move.target
    try:
        move_into_place(kept, move.target, overwrite=False)
    except OutputError:
        if not kept.samefile(move.target):  # else it has its name, and the hidden one
            beside = _free_name(move.target)
            kept.rename(beside)
            return beside
    kept.unlink(missing_ok=True)
    return move.target


def _remove(journals: Sequence[Journal]) -> None:
    """Remove temporary files and journals, if nothing is left to be done."""
    for move in _moves_of(journals):
        if move.temporary is not None:
            with suppress(OSError):
                move.temporary.unlink(missing_ok=True)
    for journal in journals:
        journal.remove()


def _release(journals: Iterable[Journal]) -> None:
    for journal in journals:
        journal.release()


def _moves_of(journals: Iterable[Journal]) -> Iterable[Move]:
    return (move for journal in journals for move in journal.moves)


def _replace(path: Path, by: Path, target: Path) -> None:
    try:
        path.replace(by)
    except OSError as error:
        raise _not_replaced_error(target, error) from error


def _not_replaced_error(target: Path, error: OSError) -> OutputError:
    return OutputError(f"{target} could not be replaced: {error.strerror or error}")


def _free_name(path: Path) -> Path:
    name = path.with_name(f"{path.name}.before")
    return name if not exists(name) else path.with_name(f"{name.name}{secrets.token_hex(3)}")
