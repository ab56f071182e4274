"""Titles of series as the record of a case has them: without what tells who the patient is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from smalltumor.scanner.deidentification.case_name import names_patient
from smalltumor.scanner.series import Series
from smalltumor.scanner.volume_names import is_of_sequence

_WORD = re.compile(r"[^\W_]+")
_MAX_WORDS = 4
"""Words of a title that may be one ID or name together."""

_ENDING = re.compile(r"(\.\w+){1,2}\Z")


def deidentified_title(series: Series) -> str:
    """The title of a series in a record.

    Of the name of a file it has the words that tell sequence and acquisition, since any other one
    may be a name, an ID or a date. Of a DICOM series it has all words that are, alone or with their
    neighbours, no part of the name or ID of the patient in its header.
    """
    if series.frames:
        words = series.title.split()
        kept = _without_patient(words, series)
    else:
        words = _WORD.findall(_ENDING.sub("", series.title))
        kept = [word for word in words if is_of_sequence(word)]
    return series.title if len(kept) == len(words) else " ".join(kept) or "a series"


def _without_patient(words: Sequence[str], series: Series) -> list[str]:
    """The words that do not name the patient; an ID, or a name, may be written as several."""
    named: set[int] = set()
    for length in range(1, _MAX_WORDS + 1):
        for start in range(len(words) - length + 1):
            run = range(start, start + length)
            text = " ".join(words[start : start + length])
            if named.isdisjoint(run) and names_patient(text, (series,)):
                named.update(run)
    kept = [word for number, word in enumerate(words) if number not in named]
    of_sequence = [word for word in kept if is_of_sequence(word)]
    others = [word for word in kept if not is_of_sequence(word)]  # may have those between them
    is_named = any(names_patient(" ".join(left), (series,)) for left in (kept, others))
    return of_sequence if is_named else kept


def deidentified_titles(series: Iterable[Series]) -> dict[str, str]:
    """The titles that differ in a record, the longest ones first."""
    titles = {each.title: deidentified_title(each) for each in series}
    differing = (title for title, other in titles.items() if title != other)
    return {title: titles[title] for title in sorted(differing, key=len, reverse=True)}


def with_deidentified_titles(text: str, titles: Mapping[str, str]) -> str:
    """A text with titles of series as they are in a record, see `deidentified_titles`."""
    for title, deidentified in titles.items():
        text = text.replace(title, deidentified)
    return text
