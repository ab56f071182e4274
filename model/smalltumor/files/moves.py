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
from smalltumor.files.move_list import Move, MoveList, State


@dataclass
class Undone:
    """What was undone.

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


def move_all(moves: Sequence[Move], lists: Sequence[MoveList], *, overwrite: bool) -> None:
    """Move earlier files aside, the last one first, and then new ones into place.

    If the process is killed in between, files are missing, but old and new ones are not mixed.

    Parameters
    ----------
    moves : sequence of Move
        The last one is of the file whose presence tells that the others are complete.
    lists : sequence of MoveList
        Those of these moves; `settle` has to be called next, whatever is raised.
    overwrite : bool

    Raises
    ------
    OutputError
        If a file cannot be moved, or exists and may not be replaced.
    """
    for move in reversed(moves):
        if move.kept is not None:
            _check_not_put_back(lists)
            _replace(move.target, move.kept, move.target)
    for move in moves:
        if move.temporary is not None:
            _check_not_put_back(lists)
            place(move.temporary, move.target, overwrite=overwrite)
    _mark_all_moved(lists)


def _mark_all_moved(lists: Sequence[MoveList]) -> None:
    for number, each in enumerate(lists):
        try:
            is_changed = each.change(State.MOVED)
        except OSError as error:
            if number > 0:  # the first list has said it of all, see `settle`
                return
            raise _not_replaced_error(each.moves[-1].target, error) from error
        if not is_changed:
            raise _restored_by_others_error(each)


def _check_not_put_back(lists: Sequence[MoveList]) -> None:
    """Check that this process was not stopped for so long that another one took it for killed."""
    for each in lists:
        try:
            is_moving = each.state is State.MOVING
        except OSError as error:
            raise _not_replaced_error(each.moves[-1].target, error) from error
        if not is_moving:
            raise _restored_by_others_error(each)


def _restored_by_others_error(moved: MoveList) -> OutputError:
    return OutputError(f"{moved.folder}: another process has put back the earlier files")


def place(temporary: Path, target: Path, *, overwrite: bool) -> None:
    """Move a complete file into place; raises OutputError."""
    try:
        move_into_place(temporary, target, overwrite)
    except OSError as error:
        raise _not_replaced_error(target, error) from error


def settle(lists: Sequence[MoveList]) -> Undone:
    """End what lists say: keep the new files if all were moved, or else the earlier ones.

    Other processes may do the same at the same time. What cannot be moved or removed stays, and the
    list with it.
    """
    undone = Undone()
    try:
        all_moved = any(each.state is State.MOVED for each in lists)
    except OSError:  # which files stay cannot be told now
        _record_left(_moves_of(lists), undone)
        _leave(lists)
        return undone
    if all_moved:
        _keep_new_files(lists)
        return undone
    for each in lists:
        try:
            if each.change(State.UNDOING):
                _undo(each.moves, undone)
        except OSError:
            _record_left(each.moves, undone)
    _remove(lists)
    return undone


def _keep_new_files(lists: Sequence[MoveList]) -> None:
    try:
        for each in lists:  # before the first earlier file is removed: no list may say otherwise
            each.change(State.MOVED)
        for move in _moves_of(lists):
            if move.kept is not None:
                move.kept.unlink(missing_ok=True)
    except OSError:
        _leave(lists)
        return
    _remove(lists)


def _undo(moves: Iterable[Move], undone: Undone) -> None:
    for move in moves:
        try:
            _undo_one(move, undone)
        except OSError:
            _record_left([move], undone)


def _record_left(moves: Iterable[Move], undone: Undone) -> None:
    for move in moves:
        if move.kept is not None and move.may_hide_earlier_file():
            undone.left[move.target] = move.kept


def _undo_one(move: Move, undone: Undone) -> None:
    if move.kept is None:
        if move.is_done():
            move.target.unlink(missing_ok=True)
            undone.removed.append(move.target)
    elif exists(move.kept):
        found = _put_back(move.kept, move)
        if found == move.target:
            undone.put_back.append(found)
        else:
            undone.saved_since[move.target] = found


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


def _remove(lists: Sequence[MoveList]) -> None:
    """Remove temporary files and lists, if nothing is left to be done."""
    for move in _moves_of(lists):
        if move.temporary is not None:
            with suppress(OSError):
                move.temporary.unlink(missing_ok=True)
    for each in lists:
        each.remove()


def _leave(lists: Iterable[MoveList]) -> None:
    for each in lists:
        each.leave()


def _moves_of(lists: Iterable[MoveList]) -> Iterable[Move]:
    return (move for each in lists for move in each.moves)


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
