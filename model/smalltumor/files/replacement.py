"""Writing of several files at once: after an error, all are as before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from smalltumor.errors import OutputError
from smalltumor.files.atomic import temporary_path


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
        as before.
    """
    staged: dict[Path, Path] = {}
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
    """A hidden name for an earlier file, which is not removed if the process is killed."""
    return path.with_name(f".smalltumor-{secrets.token_hex(6)}-{path.name}")


def _replace_together(
    staged: Mapping[Path, Path], obsolete: Iterable[Path], *, overwrite: bool
) -> None:
    """Move files into place together, and remove obsolete ones.

    All earlier files are moved aside before the first new one is put in place. If the process is
    killed in between, files are missing, but old and new ones are not mixed.

    `staged` has, by final name, the file that is moved there, in this order.
    """
    aside: dict[Path, Path] = {}
    placed: list[Path] = []
    try:
        # The last file is the one that tells that the others are complete: it goes first.
        for path in (*reversed(list(staged)), *obsolete):
            if not path.exists():
                continue
            if not overwrite:
                raise OutputError(f"{path} was created meanwhile and is not replaced")
            aside[path] = path.replace(_aside(path))
        for path, temporary in staged.items():
            temporary.replace(path)
            placed.append(path)
    except BaseException as error:
        for path in placed:
            path.unlink(missing_ok=True)
        for path, kept in aside.items():
            kept.replace(path)
        if isinstance(error, OSError):
            text = f"{error.filename} could not be replaced: {error.strerror or error}"
            raise OutputError(text) from error
        raise
    for kept in aside.values():
        kept.unlink(missing_ok=True)
