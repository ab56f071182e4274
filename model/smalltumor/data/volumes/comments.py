"""Comments in the header of a NIfTI file, as an extension that other programs skip.

An extension follows the header: its size in bytes, a multiple of 16, and its code, as two 32-bit
integers, and then its content (https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import nibabel as nib

_COMMENT = 6
"""NIfTI's code of a comment."""

_FLAG_BYTES, _START_BYTES = 4, 8
_MAX_BYTES = 2**16
"""Bytes of the longest comment that is read."""


def add_comment(header: nib.Nifti1Header, text: str) -> None:
    """Add a comment to a header that is to be written."""
    from nibabel.nifti1 import Nifti1Extension

    header.extensions.append(Nifti1Extension(_COMMENT, text.encode("utf-8")))
    header["vox_offset"] = 0  # nibabel then places the voxels after the extensions


def comments_of(start: bytes, header: nib.Nifti1Header) -> tuple[str, ...]:
    """The comments in the header of a file; none of extensions that are damaged.

    Parameters
    ----------
    start : bytes
        The file, unpacked, up to its voxels.
    header : nibabel header
    """
    position = int(header["sizeof_hdr"])
    flag = start[position : position + _FLAG_BYTES]
    if not flag[:1].strip(b"\0"):
        return ()
    order, comments = ">" if header.endianness == ">" else "<", []
    position += _FLAG_BYTES
    while position + _START_BYTES <= len(start):
        size, code = struct.unpack_from(f"{order}ii", start, position)
        if size < _START_BYTES or size % 16 or position + size > len(start):
            break
        if code == _COMMENT and size <= _MAX_BYTES:
            content = start[position + _START_BYTES : position + size]
            comments.append(content.rstrip(b"\0").decode("utf-8", "replace"))
        position += size
    return tuple(comments)
