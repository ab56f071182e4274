"""Writing of several files at once: after an error, all are as before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from smalltumor.errors import OutputError
from smalltumor.files.existence import exists
from smalltumor.files.transactions.journal import Journal, Move, journals_of
from smalltumor.files.transactions.moves import complete_or_roll_back, move_all, place
from smalltumor.files.transactions.recovery import recover_around
from smalltumor.files.transactions.temporary_names import temporary_path


def write_together(
    contents: Mapping[Path, Callable[[Path], object]],
    obsolete: Iterable[Path] = (),
    *,
    overwrite: bool = False,
    check: Callable[[], None] = lambda: None,
) -> list[Path]:
    """Write files under hidden names, and move all of them into place at the end.

    The files may be in several folders. If the process is killed meanwhile, all are put back as
    they were, or were all moved, see `smalltumor.files.transactions.recovery`.

    Parameters
    ----------
    contents : mapping of Path to callable
        By name, a function that writes the file under the name that it is given. A file whose
        presence tells that the others are complete comes last.
    obsolete : iterable of Path
        Files that are removed if they exist.
    overwrite : bool
        Whether existing files may be replaced and removed.
    check : callable
        Called before each file is written, and before the first is moved; may raise to abort.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    OutputError
        If a file cannot be written or moved, or exists and may not be replaced. All files are then
        as before; one that could not be put back is named, with the name that it has now. An error
        that is no `Exception`, such as KeyboardInterrupt, is raised as it is, with a note of that.
    """
    staged: dict[Path, Path] = {}
    obsolete = [Path(os.path.realpath(path)) for path in obsolete]
    recover_around([*contents, *obsolete])
    try:
        for path, write in contents.items():
            check()
            target = Path(os.path.realpath(path))
            staged[target] = temporary_path(target)
            _write(staged[target], write, path)
        check()
        _replace_together(staged, obsolete, overwrite=overwrite)
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
    return list(contents)


def _write(temporary: Path, write: Callable[[Path], object], path: Path) -> None:
    try:
        write(temporary)
    except OutputError as error:  # with the name that the user knows
        raise OutputError(str(error).replace(str(temporary), str(path)), error.remedy) from error


def _replace_together(
    staged: Mapping[Path, Path], obsolete: Iterable[Path], *, overwrite: bool
) -> None:
    """Move files into place together, and remove obsolete ones.

    `staged` has, by final name, the file that is moved there, in this order.
    """
    moves = list(_moves(staged, obsolete))
    earlier = [move.target for move in moves if move.kept is not None]
    if earlier and not overwrite:
        raise OutputError(f"{earlier[-1]} was created meanwhile and is not replaced")
    if len(moves) == 1 and len(staged) == 1:
        ((target, temporary),) = staged.items()
        place(temporary, target, overwrite=overwrite)  # in one step, which no kill can divide
    elif moves:
        _move_together(moves, overwrite=overwrite)


def _moves(staged: Mapping[Path, Path], obsolete: Iterable[Path]) -> Iterator[Move]:
    for path in obsolete:
        if _exists(path):
            yield Move(path, kept=_aside(path))
    for target, temporary in staged.items():
        status, kept = temporary.stat(), _aside(target) if _exists(target) else None
        yield Move(target, temporary, kept, status.st_size, status.st_mtime_ns)


def _exists(path: Path) -> bool:
    try:
        return exists(path)
    except OSError as error:  # such as a name that is too long
        raise _not_written_error(path, error) from error


def _move_together(moves: list[Move], *, overwrite: bool) -> None:
    journals = journals_of(moves)
    try:
        _write_journals(journals)
        move_all(moves, journals, overwrite=overwrite)
        complete_or_roll_back(journals)
    except BaseException as error:  # also while all was completed, which is done again then
        rolled_back = complete_or_roll_back(journals)
        left = [f"{path} is {kept.name} now" for path, kept in rolled_back.left.items()]
        if left and isinstance(error, Exception):
            raise OutputError("; ".join([str(error), *left])) from error
        for text in left:
            error.add_note(text)
        raise


def _write_journals(journals: Iterable[Journal]) -> None:
    for journal in journals:
        try:
            journal.write()
        except OSError as error:
            raise _not_written_error(error.filename or journal.folder, error) from error


def _not_written_error(where: Path | str, error: OSError) -> OutputError:
    return OutputError(f"{where} cannot be written: {error.strerror or error}")


def _aside(path: Path) -> Path:
    """A hidden name for an earlier file until the new ones are in place.

    It has no part of the file's own name, which may be too long with anything before it, or match
    `TEMPORARY_FILES`.
    """
    return path.with_name(f".smalltumor-{secrets.token_hex(6)}.kept")
