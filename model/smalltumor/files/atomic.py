"""Atomic writes: a reader finds the old file or the complete new one, never a part.

Written by hand because the libraries for it replace an existing file without asking, or leave
the file readable by its owner only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smalltumor.errors import Action, OutputError, Remedy
from smalltumor.files.existence import exists, is_folder
from smalltumor.files.names import utf8
from smalltumor.files.transactions.temporary_names import temporary_name


def check_output(path: Path, *, overwrite: bool = False, sources: Iterable[Path] = ()) -> None:
    """Check before a computation that its result can be written.

    Parameters
    ----------
    path : Path
        File to be written.
    overwrite : bool
        Whether an existing file may be replaced.
    sources : iterable of Path
        Files that must never be replaced, such as the images read.

    Raises
    ------
    OutputError
        If the folder is missing or read-only, the file is one of the sources, or it exists and
        `overwrite` is false.
    """
    try:
        _check_output(path, overwrite, sources)
    except OSError as error:  # such as a name that is too long, or links in a circle
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def check_output_folder(folder: Path) -> None:
    """Check, without creating it, that a folder of results can be created and written to.

    Raises
    ------
    OutputError
        If it or one of its parents is a file, or is not writable, or its name is too long.
    """
    try:
        _check_output_folder(folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from error


def _check_output_folder(folder: Path) -> None:
    existing = folder.absolute()
    while not exists(existing) and existing != existing.parent:
        existing = existing.parent
    if not is_folder(existing):
        raise OutputError(f"{folder}: {existing} is a file, not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: the folder {existing} is not writable")


def _check_output(path: Path, overwrite: bool, sources: Iterable[Path]) -> None:
    folder = path.parent
    if not is_folder(folder):
        raise OutputError(f"{path}: the folder {folder} does not exist; create it first")
    if is_folder(path):
        raise OutputError(f"{path} is a folder; give the name of a file in it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder {folder} is not writable")
    if exists(path):
        if any(exists(source) and path.samefile(source) for source in sources):
            raise OutputError(f"{path} is one of the case's files", Remedy(Action.CHOOSE_OUTPUT))
        if not overwrite:
            raise OutputError(f"{path} exists", Remedy(Action.REPLACE_OUTPUT))


@contextmanager
def atomic_path(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary file that replaces `path` when the block ends without an error.

    Parameters
    ----------
    path : Path
    overwrite : bool
        Whether an existing file may be replaced.

    Yields
    ------
    Path
        The temporary file: empty, in the same folder.

    Raises
    ------
    OutputError
        If the file cannot be written, or exists and may not be replaced.
    """
    check_output(path, overwrite=overwrite)
    target = Path(os.path.realpath(path))
    temporary = target.parent / temporary_name()
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        _flush(temporary)
        move_into_place(temporary, target, overwrite)
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    """Write a file, whole or not at all; see `atomic_path`."""
    with atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str, *, overwrite: bool = False) -> None:
    """Write a UTF-8 text file, whole or not at all; see `atomic_path`."""
    write_bytes(path, utf8(content), overwrite=overwrite)


def _flush(path: Path) -> None:
    # Otherwise a power failure after the rename can leave an empty file under the final name.
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move_into_place(temporary: Path, target: Path, overwrite: bool) -> None:
    """Give a complete file its final name; an OutputError if that exists and may not be replaced.

    The temporary name may remain on a drive that fails.
    """
    if overwrite:
        temporary.replace(target)
        return
    try:
        # A hard link fails if the name exists by now; a rename would replace the file silently.
        target.hardlink_to(temporary)
    except FileExistsError as error:
        raise OutputError(f"{target} was created meanwhile and is not replaced") from error
    except OSError:
        temporary.rename(target)
    else:
        with suppress(OSError):
            temporary.unlink()
