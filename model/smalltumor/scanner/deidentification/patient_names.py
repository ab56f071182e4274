"""Names of patients in headers: their letters, and which of them are spellings of one name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_TWO_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe"}
)
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"}
)
"""Letters that Unicode does not decompose to a plain letter and a mark."""

_WORD = re.compile(r"[^\W_]+")
_TITLES = frozenset(("dr", "prof", "professor", "doctor", "med"))
_GENERATIONS = frozenset(("jr", "sr", "junior", "senior", "ii", "iii", "iv"))
_NAME_NOBODY = re.compile(
    r"anon(ym(e|o?us|i[sz]ed?|isiert)?|imo)?|unknown|unbekannt|inconnu|unnamed|no(patient)?name|none"
    r"|null|patient|name|subject|deidentified|redacted|removed|x{3,}"
)
_FAMILY_AND_GIVEN, _MIDDLE, _SUFFIX = slice(0, 2), slice(2, 3), slice(4, 5)


class NameKey(NamedTuple):
    """A patient's name, to be compared with others.

    Parameters
    ----------
    short : str
        Family and given name; empty if the name is unknown.
    full : str
        Those with middle names and generation (``jr``), which may be left out elsewhere.
    """

    short: str
    full: str


def patient_name_key(name: str) -> NameKey:
    """The key of a DICOM Patient's Name (VR PN), ``Family^Given^Middle^Prefix^Suffix``.

    Of several component groups, which are one name in several scripts, the first counts. Upper and
    lower case, commas in place of carets, empty components, titles, and umlauts written as two
    letters make no difference. Names such as ``Anonymous`` are unknown; ``Anonymous^17`` is not.
    """
    group = next((each for each in name.split("=") if _words(each)), "")
    components = [_words(part) for part in group.replace(",", "^").split("^")]
    components = [_without_titles(words) for words in components]
    short = [word for words in components[_FAMILY_AND_GIVEN] for word in words]
    middle = [word for words in components[_MIDDLE] for word in words]
    suffix = [word for words in components[_SUFFIX] for word in words if word in _GENERATIONS]
    full = [*short, *middle, *suffix]
    if _names_nobody(full):
        return NameKey("", "")
    return NameKey(" ".join(short or full), " ".join(full))


def known_id(patient_id: str) -> str:
    """An ID of a patient; empty if it is one that many have, such as ``ANON`` or ``000000``."""
    is_known = patient_id.strip("0 ") and patient_name_key(patient_id).full
    return patient_id if is_known else ""


def spellings(names: Iterable[str]) -> Mapping[str, str]:
    """By name, the one of those given that stands for all spellings of it.

    A name without middle names is the one with them if there is only one such. Unknown names have
    the empty one.
    """
    keys = {name: patient_name_key(name) for name in names}
    by_full: dict[str, str] = {"": ""}
    for name in sorted(keys):
        by_full.setdefault(keys[name].full, name)
    return {name: by_full[_fullest(key, keys.values())] for name, key in keys.items()}


def plain_letters(text: str) -> str:
    """A text in small letters without marks: ``ö`` is ``o``."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return letters.casefold().translate(_PLAIN)


def two_letters(text: str) -> str:
    """A text in small letters, with umlauts and the like as two: ``ö`` is ``oe``."""
    return unicodedata.normalize("NFC", text).lower().translate(_TWO_LETTERS)


def _words(text: str) -> list[str]:
    return _WORD.findall(plain_letters(two_letters(text)))


def _without_titles(words: list[str]) -> list[str]:
    """The words of a component; all of them if they are titles, which are also family names."""
    return [word for word in words if word not in _TITLES] or words


def _names_nobody(words: list[str]) -> bool:
    return all(map(_NAME_NOBODY.fullmatch, words)) or bool(_NAME_NOBODY.fullmatch("".join(words)))


def _fullest(key: NameKey, others: Iterable[NameKey]) -> str:
    fuller = {other.full for other in others if other.short == key.full != other.full}
    return fuller.pop() if len(fuller) == 1 else key.full
