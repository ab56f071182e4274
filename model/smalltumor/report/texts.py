"""Numbers and places as a page prints them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smalltumor.text import mm3_text, position_text, volume_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smalltumor.lesions import Lesion
    from smalltumor.lesions.axial_diameters import AxialDiameters

ABSENT = "–"
"""What stands for a value that cannot be measured."""

CAVITY = "‡"
"""What marks diameters of a lesion with a cavity, which is left out."""

ADDED = "†"
"""What marks lesions to which voxels were added by hand."""

SHORT = 16
"""Length of a title, such as a date, that is printed on one line."""

_MAX_PIECE_LENGTH = 24
_AFTER_SEPARATOR = re.compile(r"[_/\\]+(?=.)|-(?=[^\W\d])")
_LONG_PIECE = re.compile(rf"[^\s\u200b]{{{_MAX_PIECE_LENGTH}}}(?=[^\s\u200b])")


def pieces(text: str) -> list[str]:
    """Parts of a name between which a line may break: never within a date or a word.

    Without such places a file's name would be as wide as a page, or break anywhere.
    """
    marked = _AFTER_SEPARATOR.sub("\\g<0>\u200b", text.replace("\u200b", ""))
    return _LONG_PIECE.sub("\\g<0>\u200b", marked).split("\u200b")


def volume(ml: float | None) -> str:
    """A volume in ml."""
    return ABSENT if ml is None else volume_text(ml)


def length(mm: float | None) -> str:
    """A length in mm."""
    return ABSENT if mm is None else f"{mm:.1f}"


def diameters(axial: AxialDiameters | None) -> str:
    """Both diameters in mm on one line, with a mark if a cavity was left out."""
    if axial is None:
        return ABSENT
    mark = CAVITY if axial.has_cavity else ""
    both = f"{length(axial.longest_mm)} × {length(axial.perpendicular_mm)}{mark}"
    return both.replace(" ", "\N{NO-BREAK SPACE}")


def slice_number(number: int | None) -> str:
    """The number of a slice."""
    return ABSENT if number is None else str(number)


def position(point: Sequence[float]) -> str:
    """A position in the patient in mm on one line."""
    return position_text(point).replace(" ", "\N{NO-BREAK SPACE}")


def css_string(text: str) -> str:
    """A text within quotes in CSS, where it ends neither the string nor the style sheet."""
    return "".join(
        each if each.isascii() and (each.isalnum() or each in " -_.") else f"\\{ord(each):x} "
        for each in text
    )


def area(mm2: float | None) -> str:
    """An area in mm2."""
    return ABSENT if mm2 is None else f"{mm2:.0f}"


def share(value: float | None) -> str:
    """A number from 0 to 1, such as a Dice."""
    return ABSENT if value is None else f"{value:.2f}"


def size_of(lesion: Lesion) -> str:
    """The volume of a lesion in mm3."""
    return f"{mm3_text(lesion.mm3)} mm³"


def place_of(lesion: Lesion, shown: int | None = None) -> str:
    """Side and axial slice of a lesion: that of its centre, or the one of a picture."""
    side = "" if lesion.side is None else f"{lesion.side.value}, "
    number = lesion.slices[0] if shown is None and lesion.slices is not None else shown
    return side.rstrip(", ") if number is None else f"{side}axial {number}"
