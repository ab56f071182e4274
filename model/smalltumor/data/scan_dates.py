"""Dates of scans, as users state them for a report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import combinations

_ISO = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)


def problem_of_dates(dates: Sequence[str], names: Sequence[str] = ()) -> str | None:
    """Why dates cannot be those of scans in the order of time.

    Parameters
    ----------
    dates : sequence of str
        From the first scan to the last, as ``2026-11-27``, ``2026-11`` or ``2026``; empty if a
        date is not stated.
    names : sequence of str
        What the scans are called; by default ``scan 1``, ``scan 2`` ...

    Returns
    -------
    str or None
        A sentence without a full stop.
    """
    names = names or [f"scan {number}" for number in range(1, len(dates) + 1)]
    stated = [(name, text) for name, text in zip(names, dates, strict=True) if text]
    for _, text in stated:
        if not _is_date(text):
            return f"{text} is not a date such as 2026-11-27, 2026-11 or 2026"
    # A year alone hides the order of its neighbours.
    for (first, earlier), (second, later) in combinations(stated, 2):
        common = min(len(earlier), len(later))
        if earlier[:common] > later[:common]:
            return (
                f"{second} is dated {later}, before {first} ({earlier}); give the scans "
                "from the first to the last"
            )
    return None


def _is_date(text: str) -> bool:
    if not _ISO.fullmatch(text):
        return False
    try:
        date.fromisoformat(text + "0000-01-01"[len(text) :])
    except ValueError:
        return False
    return True
