"""Numbers, lists, dates and positions as docks, pages and commands print them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import floor, log10

_ERROR_ML = 1e-7
"""More than the error of a volume, which depends on how its voxels were added."""

_SMALL_ML, _SMALL_MM3 = 0.0009995, 0.9995
"""Volumes below these are printed with two digits: one of a voxel of 1 mm is not, though affines in
single precision make it 0.9999999."""

_SHORT_ML = 0.01

_AXES = "xyz"
"""The patient axes, RAS: towards the right, the front and the top of the head."""


def pluralize(number: int, noun: str) -> str:
    """A number with its noun, such as "1 case" or "3 cases".

    Parameters
    ----------
    number : int
    noun : str
        In the singular; its plural ends in "s".
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def list_text(words: Iterable[str], conjunction: str = "and") -> str:
    """Words as they are listed in a sentence, such as "T1, T2 and FLAIR"; empty if there are none.

    Parameters
    ----------
    words : iterable of str
    conjunction : str
        Stands before the last word.
    """
    *others, last = list(words) or [""]
    return f"{', '.join(others)} {conjunction} {last}" if others else last


def date_text(date: str) -> str:
    """A date of DICOM, ``YYYYMMDD``, as it is shown: ``YYYY-MM-DD``; any other text as it is."""
    try:
        return datetime.strptime(date, "%Y%m%d").date().isoformat() if len(date) == 8 else date
    except ValueError:
        return date


def volume_text(ml: float) -> str:
    """A volume in ml: three decimals below 1 ml, else two; a half is rounded up.

    One below 0.001 ml has two digits that are not zero: what is there is not printed as nothing.

    Parameters
    ----------
    ml : float
        Not negative.
    """
    if 0 < ml < _SMALL_ML:
        return _two_digits(ml)
    return f"{ml + _ERROR_ML:.3f}" if 0 < ml < 1 else f"{ml + _ERROR_ML:.2f}"


def mm3_text(mm3: float) -> str:
    """A volume in mm3, such as "1,234": without decimals, but below 1 mm3 with two digits.

    Parameters
    ----------
    mm3 : float
        Not negative.
    """
    return _two_digits(mm3) if 0 < mm3 < _SMALL_MM3 else f"{mm3:,.0f}"


def table_ml(ml: float) -> float:
    """A volume in ml as tables hold it: three decimals, below 0.01 ml six."""
    return round(ml, 3 if ml >= _SHORT_ML else 6)


def position_text(point: Iterable[float], decimals: int = 0) -> str:
    """A position in the patient in mm, such as "x −23  y 12  z 40".

    The origin of images may lie beside the head, which is then on one side of it: letters of
    directions would pass for the side of the position.

    Parameters
    ----------
    point : iterable of three floats
        Patient coordinates, RAS, in mm.
    decimals : int
    """
    numbers = (f"{round(mm, decimals) + 0.0:.{decimals}f}" for mm in point)  # + 0.0: no minus zero
    signed = (number.replace("-", "\N{MINUS SIGN}") for number in numbers)
    return "  ".join(f"{letter} {mm}" for letter, mm in zip(_AXES, signed, strict=True))


def _two_digits(volume: float) -> str:
    """Two digits after the zeros."""
    return f"{volume:.{1 - floor(log10(volume))}f}"
