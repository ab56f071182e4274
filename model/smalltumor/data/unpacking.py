"""Unpacking of files that may be compressed with gzip, within a limit of memory."""

from __future__ import annotations

import zlib
from pathlib import Path

from smalltumor.errors import CaseError


def unpack(path: Path, size: int, *, whole: bool = False) -> bytes:
    """The first bytes of a file, unpacked if it is compressed.

    Parameters
    ----------
    path : Path
    size : int
        No more bytes than these are returned, whatever the file claims.
    whole : bool
        Verify gzip's checksum, too, for which the file may hold little more than `size` bytes.

    Raises
    ------
    CaseError
        If the file cannot be read, or is damaged, truncated, or larger than that.
    """
    try:
        if not path.is_file():
            raise CaseError(f"{path} " + ("is not a file" if path.exists() else "does not exist"))
        with path.open("rb") as file:
            start = file.read(2)
            file.seek(0)
            if start != b"\x1f\x8b":
                return file.read(size)
            # Incompressible data grow by less than a thousandth in gzip.
            packed = file.read(size + size // 1000 + 2**20 if whole else size)
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error.strerror or error}") from error
    return _gunzip(packed, size, path, whole)


def _gunzip(packed: bytes, size: int, path: Path, whole: bool) -> bytes:
    parts: list[bytes] = []
    missing = size
    try:
        while packed and missing > 0:
            member = zlib.decompressobj(wbits=31)
            parts.append(member.decompress(packed, missing))
            missing -= len(parts[-1])
            if whole and not member.eof:
                _finish(member, path)
            packed = member.unused_data
    except zlib.error as error:
        raise CaseError(f"{path} is damaged ({error}); copy it again") from error
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _finish(member: zlib._Decompress, path: Path) -> None:
    # A file may have up to a megabyte after the voxels; more is a decompression bomb.
    rest = member.decompress(member.unconsumed_tail, 2**20)
    if not member.eof:
        if len(rest) == 2**20:
            raise CaseError(f"{path} unpacks to far more data than its header gives; not read")
        raise CaseError(f"{path} is truncated; copy it again")
