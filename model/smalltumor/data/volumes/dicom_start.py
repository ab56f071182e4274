"""Whether a file is DICOM, by its first bytes: with the preamble, or as old archives write it."""

from __future__ import annotations

import struct
from pathlib import Path

START_BYTES = 132
"""The preamble and the letters after it."""

_MARK_AT, _MARK = 128, b"DICM"

_VALUES = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR "
    b"US UT UV".split()
)
_LONG_VALUES = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Types of values whose length has four bytes, after two that are reserved."""

_FIRST_GROUPS, _LAST_GROUP = (0x0002, 0x0008), 0x0020
_LAST_FIRST_ELEMENT = 0x0020
_MAX_VALUE_BYTES = 2**16
_MIN_ELEMENTS = 2


def starts_as_dicom(start: bytes) -> bool:
    """Whether a file is DICOM by its first `START_BYTES` bytes.

    Those without a preamble start with the elements that each DICOM file has first, in ascending
    order, with or without the types of their values.
    """
    if start[_MARK_AT:START_BYTES] == _MARK:
        return True
    group, element = _tag(start, 0)
    if group not in _FIRST_GROUPS or element > _LAST_FIRST_ELEMENT:
        return False
    return _count_elements(start) >= _MIN_ELEMENTS


def file_starts_as_dicom(path: Path) -> bool:
    """Whether a file is DICOM by its first bytes; false if it cannot be read.

    Only regular files are opened: a named pipe would be waited for without end.
    """
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return starts_as_dicom(file.read(START_BYTES))
    except OSError:
        return False


def _count_elements(start: bytes) -> int:
    """How many elements there are, as far as the bytes show; 0 if some are none."""
    position, count, before = 0, 0, (-1, -1)
    while position + 8 <= len(start):
        tag, size = _tag(start, position), _size(start, position)
        if tag <= before or tag[0] > _LAST_GROUP or size is None:
            return 0
        position, count, before = position + size, count + 1, tag
    return count


def _tag(start: bytes, position: int) -> tuple[int, int]:
    if len(start) < position + 8:
        return -1, -1
    group, element = struct.unpack_from("<HH", start, position)
    return int(group), int(element)


def _size(start: bytes, position: int) -> int | None:
    """Bytes of an element with its header; None if that is no header."""
    kind = start[position + 4 : position + 6]
    if kind in _LONG_VALUES:
        if len(start) < position + 12:
            return len(start)  # the end of what is known
        header, (length,) = 12, struct.unpack_from("<I", start, position + 8)
    elif kind in _VALUES:
        header, (length,) = 8, struct.unpack_from("<H", start, position + 6)
    else:
        header, (length,) = 8, struct.unpack_from("<I", start, position + 4)
    if length == 0xFFFFFFFF:  # a sequence, which ends with a mark
        return len(start)
    return None if length > _MAX_VALUE_BYTES or length % 2 else header + int(length)
