"""Case names that become file names.

Separate from `smalltumor.files.atomic` because reading and naming need it without writing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from smalltumor.errors import CaseError

_SEPARATORS_AND_CONTROLS = re.compile(r"[/\\\x00-\x1f\x7f]+")
_RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"]
)
"""Device names on Windows, which are reserved with any ending."""

_AT_END = {".": "dot", " ": "space"}

DEFAULT_NAME = "case"


def name_key(name: str) -> str:
    """A name, to be compared with others.

    Names are one whether written in upper or lower case, and in composed or decomposed letters:
    macOS stores ``ö`` as ``o`` and a combining character.
    """
    return unicodedata.normalize("NFC", name).casefold()


def same_name(one: str, other: str) -> bool:
    """Whether two names are one, also as names of files, see `name_key` and `safe_name`."""
    return file_key(one) == file_key(other)


def file_key(name: str) -> str:
    """The name of a file or folder after a case, to be compared with others."""
    return name_key(safe_name(name))


def safe_name(name: str) -> str:
    """A name that can begin or be the name of one visible file on every system.

    Path separators and control characters become underscores, and so do dots and spaces at the
    beginning. Those at the end become words, ``P1.`` is ``P1dot``: it is another patient than
    ``P1`` in the same folder, and ``P1_`` would be read as ``P1``. A device name of Windows gets an
    underscore in front. Other characters stay, as a name that comes from a file's was accepted by
    its file system.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        Never empty: ``case`` if there are only dots and spaces.
    """
    whole = _SEPARATORS_AND_CONTROLS.sub("_", name)
    safe = whole.strip(". ")
    if not safe:
        return DEFAULT_NAME
    before, _, after = whole.partition(safe)
    safe = f"{'_' * len(before)}{safe}{''.join(_AT_END[character] for character in after)}"
    if safe.partition(".")[0].rstrip().upper() in _RESERVED:
        safe = f"_{safe}"
    return safe


def utf8(text: str) -> bytes:
    """A text in UTF-8; the names of files in it may have bytes that are no letters."""
    return text.encode("utf-8", "backslashreplace")


def check_distinct(names: Iterable[tuple[str, str]]) -> None:
    """Check that no two cases share a file name, on any file system.

    Some file systems do not distinguish upper and lower case, or composed and decomposed letters.

    Parameters
    ----------
    names : iterable of (case, file name)

    Raises
    ------
    CaseError
        Naming the first two cases that do.
    """
    owners: dict[str, str] = {}
    for case, name in names:
        owner = owners.setdefault(name_key(name), case)
        if owner != case:
            same = name_key(owner) == name_key(case) and owner.casefold() != case.casefold()
            how = ", though their accents are encoded differently," if same else ""
            raise CaseError(
                f"the cases {owner} and {case}{how} would both be written to {name}; rename one"
            )
