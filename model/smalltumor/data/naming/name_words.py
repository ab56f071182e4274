"""Words of names, also those that are glued together: ``mpragePost``, ``sansgado``, ``T1wGd``.

A word counts where it stands alone, or where the letters around it are known words, too:
``SPACEce`` is "space" and "ce", but ``slice`` is one word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

from smalltumor.data.naming.agent_words import Kind

KindOfWord = Callable[[str], str]
"""The kind of a word in lower case; empty for a word that is not known."""


class Word(NamedTuple):
    """A word, a number or a sign of a text: its `Kind`, where it starts, and where it ends."""

    kind: str
    start: int
    end: int


_TELLING = frozenset((Kind.AGENT, Kind.CONTRAST, Kind.PRE, Kind.POST, Kind.NATIVE))
"""What is worth searching for in glued words."""
_NOT_LAST = frozenset(
    (Kind.NEGATION, Kind.WITHOUT, Kind.WITH, Kind.AFTER, Kind.OR_AFTER, Kind.IMAGE)
)
"""What another word follows."""
_GLUED = (
    _TELLING
    | _NOT_LAST
    | {Kind.CON, Kind.TREATMENT, Kind.TECHNIQUE, Kind.FOSSA, Kind.T1, Kind.OTHER}
)
_NOT_GLUED = frozenset(("na", "po", "pc", "wc", "plain"))
_MAX_GLUED_LENGTH = 32

_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(
    r"(?<![a-z0-9])(?:"
    r"(?P<dotted>(?:[a-z]\.){2,}|[a-z](?:\.[a-z])+(?![a-z]))"  # m.d.c., i.v.
    r"|(?P<without>w[ ./_-]?o(?:ut)?(?![a-z0-9]))"
    r"|(?P<short>[nvom]\.|[scn]/(?= ?[a-z])|w/(?= ?(?!w)[a-z]))"  # v. KM, s/contraste
    r"|(?P<no>ss(?=[ _.-]*(?:gado|inj|iv|pdc|contr))|prior[ _-]to(?![a-z0-9]))"  # ss is "sans"
    r"|(?P<other>(?:sub|ses)-[a-z0-9]+|(?:[ctl][-_ ]?spine|ac[-/_ ]?pc)(?![a-z0-9]))"
    r")"
    r"|(?P<both>\+ ?/ ?-|- ?/ ?\+)"
    r"|(?P<sign>[+&/;,])"
    rf"|(?P<minus_after>(?<=[a-z{_CJK}])-(?![a-z0-9])|\(-\)|\s-\s*$)"
    r"|(?P<minus_before>(?<![^\s(;,])-(?=[a-z]))"
    rf"|(?P<cjk>[{_CJK}]+)"
    r"|(?P<latin>[a-z0-9\u0400-\u04ff]+)",
    re.IGNORECASE,
)
_KIND_OF_TOKEN = {
    "no": Kind.NEGATION,
    "without": Kind.WITHOUT,
    "other": Kind.OTHER,
    "both": Kind.BOTH,
    "minus_after": Kind.MINUS,
    "minus_before": Kind.HYPHEN,
}
"""Kinds of tokens by the group of `_TOKEN`; those of other groups depend on the words."""
_PARTS = re.compile(  # at changes of case, at digits, and around T1
    r"[mM][pP]2?[rR][aA][gG][eE]|[23][dD]|(?:[a-zA-Z]|3[dD])?[tT][12](?![0-9])"
    r"(?:[wWnN](?![a-zA-Z])|w(?=C(?![a-zA-Z])))?|[A-Z]*[a-z]+|[A-Z]+|[0-9]+|[\u0400-\u04ff]+"
)
_CODE = re.compile("(?!(?:gd|t)[0-9]$)(?:[a-z]{1,2}[0-9]+|[a-z]+(?:0[0-9]|[0-9]{3})[0-9]*)", re.I)
"""Names of patients, such as ``KM12`` and ``post001``."""
_SUFFIX = re.compile("(.+)(post|contrast|gd)")
"""What no other word ends with."""
_UPPER_AND_LOWER = re.compile("([A-Z]{2,})([a-z]{2,})")

_ASCII = str.maketrans({"ı": "i", "ł": "l", "Ł": "L", "ø": "oe", "Ø": "OE", "ß": "ss"})


def plain_text(text: str) -> str:
    """The text without accents and full-width letters."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_ASCII))
    kept = "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", kept)  # syllables of Hangul


def split_words(plain: str, kind_of: KindOfWord) -> Iterator[Word]:
    """The words of a text.

    Parameters
    ----------
    plain : str
        From `plain_text`.
    kind_of : callable
        Tells the kinds of words; numbers, signs of minus and unknown words have those of `Kind`.
    """
    for match in _TOKEN.finditer(plain):
        start = match.start()
        for kind, length in _kinds(str(match.lastgroup), match[0], kind_of):
            yield Word(kind, start, start + length)
            start += length


def _kinds(group: str, token: str, kind_of: KindOfWord) -> Iterator[tuple[str, int]]:
    """Kinds and lengths of the words of a token."""
    if group in _KIND_OF_TOKEN:
        yield _KIND_OF_TOKEN[group], len(token)
    elif group == "cjk":
        yield from _longest_matches(token, kind_of)
    elif group == "latin":
        yield from _kinds_of_parts(token, kind_of)
    else:
        word = token.replace(".", "") if group == "dotted" else token
        yield kind_of(word.lower()) or Kind.OTHER, len(token)


def _longest_matches(text: str, kind_of: KindOfWord) -> Iterator[tuple[str, int]]:
    """Words of a language that is written without spaces."""
    start = 0
    while start < len(text):
        ends = range(len(text), start, -1)
        end = next((end for end in ends if kind_of(text[start:end])), start + 1)
        yield kind_of(text[start:end]) or Kind.OTHER, end - start
        start = end


def _kinds_of_parts(token: str, kind_of: KindOfWord) -> Iterator[tuple[str, int]]:
    kind = kind_of(token.lower())
    if kind or _CODE.fullmatch(token):
        yield kind or Kind.OTHER, len(token)
        return
    previous = ""
    for part in _PARTS.findall(token):
        if previous == Kind.T1 and part[0] in "wW" and not kind_of(part.lower()):
            yield from ((Kind.OTHER, 1), *_glued(part[1:], kind_of))
        elif len(part) == 1 and part.isalpha() and previous != Kind.T1:
            yield Kind.OTHER, 1
        else:
            glued = _glued(part, kind_of)
            yield from glued
            previous = glued[-1][0]


def _glued(part: str, kind_of: KindOfWord) -> list[tuple[str, int]]:
    """The words of a part of a name; the part itself if it is none of them glued together."""
    word = part.lower()
    if word.isdigit():
        return [(Kind.NUMBER, len(part))]
    if kind := kind_of(word):
        return [(kind, len(part))]
    if glued := _known_words(word, kind_of):
        return glued
    if match := _SUFFIX.fullmatch(word):
        return [(Kind.OTHER, len(match[1])), (kind_of(match[2]), len(match[2]))]
    match = _UPPER_AND_LOWER.fullmatch(part)
    if match and kind_of(match[2]) in _TELLING:
        return [(Kind.OTHER, len(match[1])), (kind_of(match[2]), len(match[2]))]
    return [(Kind.OTHER, len(part))]


def _known_words(word: str, kind_of: KindOfWord) -> list[tuple[str, int]]:
    """Two or more known words that make up a word and say something; empty if there are none."""
    if len(word) > _MAX_GLUED_LENGTH:
        return []
    for end in range(len(word) - 1, 1, -1):
        first = kind_of(word[:end])
        if first not in _GLUED or word[:end] in _NOT_GLUED:
            continue
        last = kind_of(word[end:])
        if last in _GLUED - _NOT_LAST and word[end:] not in _NOT_GLUED:
            rest = [(last, len(word) - end)]
        else:
            rest = _known_words(word[end:], kind_of)
        if rest and {first, *(kind for kind, _ in rest)} & _TELLING:
            return [(first, end), *rest]
    return []
