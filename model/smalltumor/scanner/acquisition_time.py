"""When a series was acquired, as headers and JSON files tell, and which of two was later."""

from __future__ import annotations

import re
from datetime import date, datetime

MAX_STUDY_DAYS = 1
"""Days between series of one study; more apart, they are of two visits."""

_FIRST_YEAR = 1970
"""No head was imaged by magnetic resonance before."""

_TIME = re.compile(
    r"(?:(?P<year>\d{4})(?P<dash>[-.]?)(?P<month>\d{2})(?P=dash)(?P<day>\d{2})[T ]?)?"
    r"(?P<hour>[01]\d|2[0-3])(?::?(?P<minute>\d{2}))?(?::?(?P<second>\d{2}))?(?:\.(?P<fraction>\d*))?"
    r"(?:Z|[-+]\d{2}:?\d{2})?"
)
"""Date and time of DICOM (DT, DA with TM) and of ISO 8601; the date may be missing."""

_DIGITS_OF_DATE = 8


def normal_time(text: str) -> str:
    """Date and time as digits, so that later ones sort behind earlier ones.

    Parameters
    ----------
    text : str
        Such as ``20240102101500.25``, ``2024-01-02T10:15:00`` or ``101500``. Offsets of time zones
        are dropped: the series of a study have one.

    Returns
    -------
    str
        ``YYYYMMDDhhmmss`` or, without a date, ``hhmmss``, with fractions if there are any; empty
        if the text is no time.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return ""
    date = "".join(found[part] or "" for part in ("year", "month", "day"))
    time = "".join(found[part] or "00" for part in ("hour", "minute", "second"))
    fraction = (found["fraction"] or "").rstrip("0")
    return f"{date}{time}.{fraction}" if fraction else date + time


def day_of(text: str) -> date | None:
    """A date such as 20240102; None if it is unknown, or stands for that, as 19000101 does."""
    try:
        day = datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None
    return day if day.year >= _FIRST_YEAR else None


def day_of_time(time: str) -> date | None:
    """The date of a time of `normal_time`, if that has one."""
    return day_of(time[:_DIGITS_OF_DATE]) if _has_date(time) else None


def is_later(time: str, other: str) -> bool | None:
    """Whether a time of `normal_time` is later than another one; None if they do not tell.

    A time without a date tells nothing beside one with a date.
    """
    if not time or not other or _has_date(time) != _has_date(other):
        return None
    return time > other


def _has_date(time: str) -> bool:
    return len(time.partition(".")[0]) > _DIGITS_OF_DATE
