"""The lock of the folder of a case: one preparation or correction at a time writes there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import Timeout

from smalltumor.errors import OutputError
from smalltumor.files.existence import is_absent
from smalltumor.files.locks import locked

LOCK = ".preparation.lock"


@contextmanager
def locked_preparation(folder: Path) -> Iterator[None]:
    """Create a folder, and keep other preparations out of it within the block.

    Without a file in it, the folder is removed at the end if it was created here.

    Parameters
    ----------
    folder : Path
        Of the case.

    Raises
    ------
    OutputError
        If another preparation holds the folder, or it cannot be used.
    """
    created = [each for each in (folder, *folder.parents) if is_absent(each)]
    with ExitStack() as stack:
        # After the lock is released: an open file cannot be removed on Windows.
        stack.callback(_remove_empty, created)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder / LOCK))
        except Timeout as error:
            raise OutputError(
                f"another preparation or correction is writing to {folder}; try again when it has "
                "ended"
            ) from error
        except OSError as error:
            raise OutputError(f"{folder} cannot be used: {error.strerror or error}") from error
        stack.callback(_remove_lock, folder)
        yield


def _remove_lock(folder: Path) -> None:
    with suppress(OSError):
        (folder / LOCK).unlink()


def _remove_empty(folders: list[Path]) -> None:
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()
