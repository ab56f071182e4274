"""Warnings about a scan as they are kept with the case: without what identifies the patient."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from smalltumor.scanner.series import Series

_REMOVED = "(removed)"
_SHORTEST = 3
"""Characters of what is removed wherever it stands; shorter IDs only behind "patient"."""

_FOLDERS = 3
"""Folders around an image whose names may be those of the patient."""

_PATH = re.compile(r"[^\s()]*[/\\]([^\s()/\\]*)")
_PARTS_OF_NAME = re.compile(r"[\^=, ]+")


def recorded(warnings: Iterable[str], series: Sequence[Series]) -> tuple[str, ...]:
    """Warnings without names, IDs, dates, and the folders of files.

    Parameters
    ----------
    warnings : iterable of str
    series : sequence of Series
        Those of the scan, whose headers tell what identifies the patient.
    """
    texts = {
        text
        for each in series
        for text in (each.patient, each.date, each.birth_date, *_of_identity(each), *_folders(each))
    }
    words = sorted(map(re.escape, texts - {""}), key=len, reverse=True)
    if not words:
        return tuple(_PATH.sub(r"\1", text) for text in warnings)
    long = "|".join(word for word in words if len(word) >= _SHORTEST) or "(?!)"
    pattern = rf"(?<!\w)(?:{long})(?!\w)|(?<=\bpatient )(?:{'|'.join(words)})(?!\w)"
    identifying = re.compile(pattern, re.IGNORECASE)
    return tuple(identifying.sub(_REMOVED, _PATH.sub(r"\1", text)) for text in warnings)


def _folders(series: Series) -> Iterable[str]:
    """Names of the folders around the images, which tell apart studies in a warning."""
    is_file = series.files == (series.location,)
    nearest = series.location.parent if is_file else series.location
    return (folder.name for folder in (nearest, *nearest.parents)[:_FOLDERS])


def _of_identity(series: Series) -> Iterable[str]:
    if series.identity is None:
        return ()
    patient_id, name = series.identity
    return (patient_id, name, *_PARTS_OF_NAME.split(name))
