"""Folders that are created for files, and removed again if these cannot be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smalltumor.errors import OutputError
from smalltumor.files.existence import is_absent


@contextmanager
def new_folders(*folders: Path) -> Iterator[None]:
    """Create folders, with those above them; after an error, empty ones are removed again.

    A command that is started again would take them for those of somebody else.

    Raises
    ------
    OutputError
        If one cannot be created.
    """
    missing = {each for folder in folders for each in (folder, *folder.parents) if is_absent(each)}
    try:
        for folder in folders:
            _create(folder)
        yield
    except BaseException:
        for folder in sorted(missing, key=lambda each: len(each.parts), reverse=True):
            with suppress(OSError):
                folder.rmdir()
        raise


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be created: {error.strerror or error}") from error
