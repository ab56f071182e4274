"""Writing of several files at once: after an error, all are as before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from smalltumor.errors import OutputError
from smalltumor.files.atomic import move_into_place, temporary_path
from smalltumor.files.unfinished_moves import listed, planned, undo_unfinished_moves


def write_together(
    contents: Mapping[Path, Callable[[Path], object]],
    obsolete: Iterable[Path] = (),
    *,
    overwrite: bool = False,
    check: Callable[[], None] = lambda: None,
) -> list[Path]:
    """Write files under hidden names, and move all of them into place at the end.

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
    for folder in {Path(os.path.realpath(path)).parent for path in contents}:
        undo_unfinished_moves(folder)
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


def _aside(path: Path) -> Path:
    """A hidden name for an earlier file until the new ones are in place.

    It has no part of the file's own name, which may be too long with anything before it, or match
    `TEMPORARY_FILES`.
    """
    return path.with_name(f".smalltumor-{secrets.token_hex(6)}.kept")


def _replace_together(
    staged: Mapping[Path, Path], obsolete: Iterable[Path], *, overwrite: bool
) -> None:
    """Move files into place together, and remove obsolete ones.

    All earlier files are moved aside before the first new one is put in place. If the process is
    killed in between, files are missing, but old and new ones are not mixed; the next process that
    writes there puts the old ones back, see `unfinished_moves`.

    `staged` has, by final name, the file that is moved there, in this order.
    """
    # The last file is the one that tells that the others are complete: it goes first.
    earlier = [path for path in (*reversed(list(staged)), *obsolete) if path.exists()]
    if earlier and not overwrite:
        raise OutputError(f"{earlier[0]} was created meanwhile and is not replaced")
    names = {path: _aside(path) for path in earlier}
    with ExitStack() as lists:
        for folder in {path.parent for path in earlier}:
            try:
                lists.enter_context(listed(planned(staged, names, folder), folder))
            except OSError as error:
                raise OutputError(
                    f"{folder} cannot be written: {error.strerror or error}"
                ) from error
        _move(staged, names, overwrite=overwrite)


def _move(staged: Mapping[Path, Path], names: Mapping[Path, Path], *, overwrite: bool) -> None:
    """Move earlier files to the names for them, and new ones into place; after an error, back."""
    # Noted before each move: an interruption may come between the move and the next line.
    aside: dict[Path, Path] = {}
    placed: dict[Path, os.stat_result] = {}
    moving = Path()
    try:
        for moving, name in names.items():
            aside[moving] = name
            moving.replace(name)
        for moving, temporary in staged.items():
            placed[moving] = temporary.stat()
            move_into_place(temporary, moving, overwrite)
    except BaseException as error:
        left = _restore(placed, aside)
        if isinstance(error, OSError) or (left and isinstance(error, Exception)):
            reason = getattr(error, "strerror", None) or error
            sentence = f"{moving} could not be replaced: {reason}"
            raise OutputError("; ".join([sentence, *left])) from error
        for text in left:
            error.add_note(text)
        raise
    for kept in aside.values():
        kept.unlink(missing_ok=True)


def _restore(placed: Mapping[Path, os.stat_result], aside: Mapping[Path, Path]) -> list[str]:
    """Take new files away and put earlier ones back; say where those are that cannot be.

    Parameters
    ----------
    placed : mapping of Path to stat_result
        By final name, the status of the new file, which may not have been moved there.
    aside : mapping of Path to Path
        By final name, where the earlier file is, which may not have been moved there.
    """
    left = []
    for path, new in placed.items():
        with suppress(OSError):
            if os.path.samestat(path.stat(), new):
                path.unlink()
    for path, kept in aside.items():
        if not kept.exists():
            continue
        try:
            kept.replace(path)
        except OSError:
            left.append(f"{path} is {kept.name} now")
    return left
