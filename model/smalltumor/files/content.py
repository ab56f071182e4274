"""Which bytes a file held when it was read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PIECE = 2**20


@dataclass(frozen=True)
class FileContent:
    """What identifies the bytes of a file.

    Parameters
    ----------
    size : int
        Number of bytes.
    digest : str
        SHA-256.
    """

    size: int
    digest: str


def content_of(file: IO[bytes], read: bytes = b"") -> FileContent:
    """The content of an open file, from its present position on.

    Parameters
    ----------
    file : binary file
    read : bytes
        What was read of it before, which counts as well.
    """
    size, digest = 0, hashlib.sha256()
    for piece in _pieces(file, read):
        size += len(piece)
        digest.update(piece)
    return FileContent(size, digest.hexdigest())


def content_of_file(path: Path) -> FileContent:
    """The content of a file.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        return content_of(file)


def _pieces(file: IO[bytes], read: bytes) -> Iterator[bytes]:
    yield read
    while piece := file.read(_PIECE):
        yield piece
