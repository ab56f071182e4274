"""Replacement of several files at once: after an error, all are as before."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from smalltumor.errors import OutputError


def hidden_path(path: Path) -> Path:
    """A new hidden name in the folder of a file, with the same ending."""
    return path.with_name(f".smalltumor-{secrets.token_hex(6)}-{path.name}")


def replace_together(
    staged: Mapping[Path, Path], obsolete: Iterable[Path] = (), *, overwrite: bool = False
) -> None:
    """Move files into place together, and remove obsolete ones.

    All earlier files are moved aside before the first new one is put in place. If the process is
    killed in between, files are missing, but old and new ones are not mixed.

    Parameters
    ----------
    staged : mapping of Path to Path
        By final name, the file that is moved there; in this order.
    obsolete : iterable of Path
        Files that are removed if they exist.
    overwrite : bool
        Whether existing files may be replaced and removed.

    Raises
    ------
    OutputError
        If a file cannot be moved, or exists and may not be replaced. All files are then as before.
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
            aside[path] = path.replace(hidden_path(path))
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
