"""Values of the frames of a DICOM file, whose header may give them in functional groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableSequence
from itertools import chain
from typing import Any

_OF_FRAMES = (
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "FrameType"),
    *("RepetitionTime", "EchoTime", "EffectiveEchoTime", "InversionTime", "InversionTimes"),
    *("SliceThickness", "SpacingBetweenSlices", "FrameAcquisitionNumber", "TemporalPositionIndex"),
    *("FrameAcquisitionDateTime", "ContrastBolusAgentAdministered"),
)
"""What enhanced files say of each frame, or of all frames, in their functional groups."""


def frames_of(header: Any) -> Iterator[Frame]:
    """The frames of a file whose place is known."""
    shared = _values_of_groups(header.get("SharedFunctionalGroupsSequence") or ())
    return (Frame(header, index, shared) for index in range(_number_of_frames(header)))


def _number_of_frames(header: Any) -> int:
    """Frames whose place is known: those that an enhanced file describes, else the first."""
    described = len(header.get("PerFrameFunctionalGroupsSequence") or ())
    stated = int(header.get("NumberOfFrames") or 1)
    if described and stated != described:
        raise ValueError(f"its header gives {stated} frames but describes {described}")
    return described or 1


class Frame:
    """Values of a frame: of its own functional groups, of the shared ones, or of the file."""

    def __init__(self, header: Any, index: int, shared: Mapping[str, Any]) -> None:
        self.header = header
        self.index = index
        frames = header.get("PerFrameFunctionalGroupsSequence") or []
        self._values = {**shared, **_values_of_groups(frames[index : index + 1])}

    def text(self, keyword: str) -> str:
        """The value as text, several values in one; empty if there is none."""
        value = self._known(keyword)
        values = () if value is None else _listed(value)
        return _as_utf8(" ".join(str(v).strip() for v in values))

    def number(self, *keywords: str) -> float | None:
        """The first value of the first keyword that has one; None if that is no number."""
        values = (self._known(keyword) for keyword in keywords)
        found = next((v for v in values if v is not None), None)
        first = next(iter(_listed(found)), None)
        try:
            return None if first is None else float(first)
        except ValueError:
            return None

    def texts(self, keyword: str) -> tuple[str, ...]:
        """All values as texts in capitals."""
        value = self._known(keyword)
        return () if value is None else tuple(str(v).strip().upper() for v in _listed(value))

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """All values as numbers.

        Raises
        ------
        Exception
            Of many kinds, if one is no number.
        """
        return tuple(float(v) for v in self._value(keyword) or ())

    def _known(self, keyword: str) -> Any:
        """The value, or None also if it cannot be read, as after de-identification."""
        try:
            return self._value(keyword)
        except Exception:  # of many kinds: pydicom converts a value when it is asked for
            return None

    def _value(self, keyword: str) -> Any:
        value = self._values.get(keyword)
        if value is None:
            value = self.header.get(keyword)
        return None if _is_empty(value) else value


def _as_utf8(text: str) -> str:
    """The text as it was meant if UTF-8 was written without naming it as the character set."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _listed(value: Any) -> Iterable[Any]:
    """The values of one that may have several."""
    return value if isinstance(value, MutableSequence | tuple) else (value,)


def _values_of_groups(groups: Iterable[Any]) -> dict[str, Any]:
    """The values of functional groups by keyword; the first one that is not empty."""
    from pydicom.datadict import tag_for_keyword

    wanted = {tag_for_keyword(keyword): keyword for keyword in _OF_FRAMES}
    found: dict[str, Any] = {}
    for group in groups:
        sequences = (element.value for element in group if element.VR == "SQ")
        for item in chain.from_iterable(sequences):
            for tag in item.keys() & wanted.keys():
                value = item[tag].value
                if not _is_empty(value):
                    found.setdefault(wanted[tag], value)
    return found


def _is_empty(value: Any) -> bool:
    return value is None or str(value) == ""
