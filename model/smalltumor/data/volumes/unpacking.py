"""Unpacking of files that may be compressed with gzip, within a limit of memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.errors import CaseError
from smalltumor.files.content import FileContent, content_of
from smalltumor.files.existence import exists, is_file
from smalltumor.files.gzip_codec import GZIP_ERRORS, Unpacker, unpacker

_PACKED_PIECE, _UNPACKED_PIECE = 2**17, 2**18
"""Bytes that are unpacked at a time, at most."""

_MAX_RATIO = 1040
"""Bytes that a byte of gzip can give; deflate reaches 1032."""

_MAX_AFTER = 2**20
"""Bytes that may follow those that are asked for."""


def unpack(path: Path, size: int) -> bytes | memoryview:
    """The first bytes of a file, unpacked if it is compressed.

    Parameters
    ----------
    path : Path
    size : int
        No more bytes than these are returned, whatever the file claims.

    Raises
    ------
    CaseError
        If the file cannot be read, or is damaged or truncated.
    """
    return _unpack(path, size, whole=False, with_content=False)[0]


def unpack_whole(
    path: Path, size: int, *, with_content: bool = False
) -> tuple[bytes | memoryview, FileContent | None]:
    """Unpack a file and verify gzip's checksum.

    Parameters
    ----------
    path : Path
    size : int
        As for `unpack`; the file may hold little more.
    with_content : bool
        Tell which bytes the file held.

    Returns
    -------
    bytes, FileContent or None

    Raises
    ------
    CaseError
        As for `unpack`, or if the file is larger than that.
    """
    return _unpack(path, size, whole=True, with_content=with_content)


def _unpack(
    path: Path, size: int, *, whole: bool, with_content: bool
) -> tuple[bytes | memoryview, FileContent | None]:
    check_is_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(2)
            file.seek(0)
            is_packed = start == b"\x1f\x8b"
            # Incompressible data grow by less than a thousandth in gzip.
            read = file.read(size + size // 1000 + 2**20 if is_packed and whole else size)
            content = content_of(file, read) if with_content else None
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error.strerror or error}") from error
    return (_Members(read, path).unpacked(size, whole=whole) if is_packed else read), content


def check_is_file(path: Path) -> None:
    """Check that there is a file, before it is opened.

    Raises
    ------
    CaseError
        If there is none, or that cannot be told.
    """
    try:
        if is_file(path):
            return
        is_there = exists(path)
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error.strerror or error}") from error
    raise CaseError(f"{path} " + ("is not a file" if is_there else "does not exist"))


class _Members:
    """The members of a gzip file, which are unpacked one after another.

    Parameters
    ----------
    packed : bytes
    path : Path
        Of the file, for errors.
    """

    def __init__(self, packed: bytes, path: Path) -> None:
        self._rest, self._path = memoryview(packed), path

    def unpacked(self, size: int, *, whole: bool) -> memoryview:
        """The first bytes; with `whole` the file is unpacked to its end, and checksums verified.

        Raises
        ------
        CaseError
            If the file is damaged; with `whole` also if it is truncated, or holds far more.
        """
        target = np.empty(min(size, len(self._rest) * _MAX_RATIO), dtype=np.uint8)
        filled = 0
        try:
            while self._rest and filled < len(target):
                member = unpacker()
                filled += self._fill(target[filled:], member)
                if whole and not member.eof:
                    self._finish(member)
        except GZIP_ERRORS as error:
            raise CaseError(f"{self._path} is damaged ({error}); copy it again") from error
        return target[:filled].data.toreadonly()

    def _fill(self, target: npt.NDArray[np.uint8], member: Unpacker) -> int:
        """Unpack until the target is full or the member ends: the number of bytes.

        In pieces that stay in the processor's cache, which takes two thirds of the time.
        """
        filled = 0
        while filled < len(target) and not member.eof:
            piece = self._rest[:_PACKED_PIECE]
            part = member.decompress(piece, min(_UNPACKED_PIECE, len(target) - filled))
            if not part and not piece:
                break  # truncated
            left = len(member.unused_data if member.eof else member.unconsumed_tail)
            self._rest = self._rest[len(piece) - left :]
            target[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
            filled += len(part)
        return filled

    def _finish(self, member: Unpacker) -> None:
        """Unpack the end of a member: up to a megabyte after the voxels, more is a bomb."""
        count = self._fill(np.empty(_MAX_AFTER, dtype=np.uint8), member)
        if member.eof:
            return
        if count == _MAX_AFTER:
            raise CaseError(
                f"{self._path} unpacks to far more data than its header gives; not read"
            )
        raise CaseError(f"{self._path} is truncated; copy it again")
