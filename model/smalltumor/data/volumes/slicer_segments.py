"""The segments in the header of a ``.seg.nrrd`` file, as 3D Slicer writes it.

Each segment has the keys ``Segment0_Name``, ``Segment0_LabelValue``, ``Segment0_Layer`` and
``Segment0_Tags``; the tags hold its place in a terminology, as
``TerminologyEntry:CONTEXT~CATEGORY~TYPE~...``, in which a code is ``SCT^6574001^Necrosis``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from smalltumor.labels.segments import Segment

SUFFIX = ".seg.nrrd"
"""Ending of the names of such files."""

_DIGITS = 18
"""Digits of a number that are read: more than those of any stored value have."""
_NAME = re.compile(rf"Segment(\d{{1,{_DIGITS}}})_Name\Z")
_TERMINOLOGY = "TerminologyEntry:"
_TYPE = 2
"""Place of the type among the codes of a terminology's entry, after context and category."""


def segments_of(keys: Iterable[str], value_of: Callable[[str], str]) -> tuple[Segment, ...]:
    """The segments that a header describes, in their order; none if it is another header.

    Parameters
    ----------
    keys : iterable of str
    value_of : callable
        The value of a key.
    """
    present = set(keys)
    numbers = sorted(int(match[1]) for key in present if (match := _NAME.match(key)))

    def read(number: int, what: str) -> str:
        key = f"Segment{number}_{what}"
        return value_of(key).strip() if key in present else ""

    return tuple(
        Segment(
            read(number, "Name"),
            _whole(read(number, "LabelValue"), 1),  # of Slicer before 4.11: each has its layer
            _whole(read(number, "Layer"), number),
            _terminology(read(number, "Tags")),
        )
        for number in numbers
    )


def _whole(text: str, default: int) -> int:
    return int(text[:_DIGITS]) if text.isdecimal() else default


def _terminology(tags: str) -> str:
    """The meaning of the type's code."""
    entry = next((t for t in tags.split("|") if t.startswith(_TERMINOLOGY)), "")
    codes = entry.split("~")
    return codes[_TYPE].split("^")[-1] if len(codes) > _TYPE else ""
