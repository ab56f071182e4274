"""Whether a text says that a contrast agent was given: a series description, or the labels of BIDS.

Scanners are operated in many languages, and a text may negate the agent that it names ("sans
gado"), speak of both ("senza e con mdc"), or of something else ("post-op", "without fat
saturation"). Hence each word is replaced by its kind, and rules tell what a sequence of kinds says:
``NEGATION CONTRAST`` is "ohne Kontrast", ``POST TREATMENT`` is "post surgery". A rule is a regular
expression that has names of `Kind` where others have letters; its spaces mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from smalltumor.data.naming.agent_words import Kind, kind_of_word
from smalltumor.data.naming.name_words import Word, plain_text, split_words


class ContrastAgent(Enum):
    """What a text says of a contrast agent."""

    GIVEN = "given"
    NOT_GIVEN = "not given"
    UNKNOWN = "unknown"


class Statement(NamedTuple):
    """What a text says, and its words that say so: in lower case without accents, or empty."""

    agent: ContrastAgent
    words: str


def _rule(*alternatives: str) -> re.Pattern[str]:
    """Compile a rule of several alternatives: names of `Kind` are replaced by their values."""
    rule = "|".join(alternatives)
    values = re.sub("[A-Z][A-Z0-9_]*", lambda name: re.escape(Kind[name[0]]), rule)
    return re.compile(values.replace(" ", ""))


# Parts of several rules

_WITH = "[WITH CON AFTER OR_AFTER POST]"
_LINKS = "[LINK VAGUE]*"
_AND = "[AND PLUS LETTER_I]+"  # "i" is "and" in Polish
_AGENTS = "(?: LINK* [AGENT CONTRAST VAGUE LETTER_C CON])*"
_NO_TECHNIQUE = "(?! LINK* TECHNIQUE)"
_SAYS_GIVEN = (
    f"(?: {_WITH}? {_LINKS} [AGENT CONTRAST VAGUE LETTER_C LETTER_I] PLUS? | POST"
    " | PLUS [AGENT CONTRAST LETTER_C LETTER_I])"
)
_SAYS_NOT_GIVEN = (
    f"(?: [NEGATION WITHOUT PRE] {_LINKS} [AGENT CONTRAST VAGUE LETTER_C CON] MINUS? | PRE | NATIVE"
    " | [AGENT CONTRAST VAGUE LETTER_C LETTER_I] LINK* [NONE MINUS])"
)

# The rules, in the order in which they apply

_ARTICLE = _rule(f"(?<= {_WITH}) OHNE")  # com o contraste

_OF_SOMETHING_ELSE = _rule(
    "[PRE POST NEGATION AFTER OR_AFTER WITHOUT] LINK* TREATMENT+",  # post-op
    "[PRE POST NEGATION AFTER OR_AFTER] [LINK NUMBER]* TIME",  # after 3 months
    "TIME NUMBER* POST",
    "POST FOSSA",
    "FOSSA POST",
    "PRE PREPARATION",
    "IMAGE CONTRAST",  # high contrast
    "CONTRAST OPTIMISED",
    "HYPHEN [AGENT CONTRAST]",  # "-Gd" may be "Gd" or "no Gd"
)

_OF_BOTH = _rule(
    # sans et avec gado
    f"[NEGATION WITHOUT PRE] MINUS? {_AND} {_WITH} {_AGENTS} {_NO_TECHNIQUE}",
    f"[WITH CON AFTER OR_AFTER] {_AND} [NEGATION WITHOUT] {_AGENTS} {_NO_TECHNIQUE}",
    f"POST MINUS? {_AND} PRE {_AGENTS} {_NO_TECHNIQUE}",
    f"{_SAYS_NOT_GIVEN} {_AND} {_SAYS_GIVEN}",  # ohne KM und mit KM
    f"{_SAYS_GIVEN} {_AND} {_SAYS_NOT_GIVEN}",
    "PRE [AGENT CONTRAST VAGUE]? POST [AGENT CONTRAST VAGUE]*",  # pre post
    "POST [AGENT CONTRAST VAGUE]? PRE [AGENT CONTRAST VAGUE]*",
    f"(?<! T1) WITH WITHOUT {_AGENTS}",  # w wo
    f"WITHOUT WITH {_AGENTS} {_NO_TECHNIQUE}",
    f"NATIVE {_WITH}? {_LINKS} [AGENT CONTRAST] (?! LINK* [NONE MINUS])",  # nativ KM
    f"{_WITH}? {_LINKS} [AGENT CONTRAST] NATIVE",
    "[AGENT CONTRAST LETTER_C LETTER_I] MINUS [AGENT CONTRAST LETTER_C LETTER_I] PLUS",  # C- C+
    "[AGENT CONTRAST LETTER_C LETTER_I] PLUS [AGENT CONTRAST LETTER_C LETTER_I] MINUS",
    "NEGATION LETTER_C [AGENT CONTRAST]",  # s/c contraste
    f"BOTH {_AGENTS}",  # +/- Gd
    "[AGENT CONTRAST LETTER_C LETTER_I] LINK* BOTH",
)

_NOT_GIVEN = _rule(
    f"[NEGATION WITHOUT] {_LINKS} [AGENT CONTRAST VAGUE LETTER_C]",
    "[NEGATION WITHOUT] CON",
    f"WITHOUT {_NO_TECHNIQUE}",
    "PRE [AGENT CONTRAST CON]?",
    "NATIVE",
    "[AGENT CONTRAST VAGUE LETTER_C LETTER_I] LINK* [NONE MINUS]",  # Gd-
    "HYPHEN [LETTER_C LETTER_I]",  # -C
)

_GIVEN = _rule(
    f"{_WITH}? {_LINKS} [AGENT CONTRAST]",
    "POST",
    "WITH CON",
    "[LETTER_C LETTER_I VAGUE] PLUS",  # C+
    "PLUS [LETTER_C LETTER_I VAGUE]",
    "T1 LETTER_C",
    "T1 [TECHNIQUE OTHER]* AFTER (?= BREAK | $)",  # T1 dopo
    f"[WITH CON AFTER OR_AFTER] {_LINKS} [VAGUE LETTER_C]",
)

_UNKNOWN_AGENT = re.compile(
    r"x+|0+(?: 0+)?(?: ?(?:ml|cc|[muμ]?mol|[muμ]?g)(?: (?:kg|ml|s|sec))?)?"
    r"|n|n a|na|null|false|negative|removed|anonym\w*|unknown|unspecified|undefined|unbekannt"
    r"|inconnue?|desconocid[oa]|desconhecid[oa]|sconosciut[oa]"
)
"""What is entered as an agent, or as its dose, if there was none, or if nobody knows."""

_ANY_AGENT = frozenset((Kind.CONTRAST, Kind.VAGUE, Kind.LINK))
_ANY_AGENT_WORDS = frozenset(("medium", "media", "bolus"))
"""What may stand beside it without naming an agent: "contrast medium: unknown"."""

_ENTRY_WORD = re.compile(r"[^\W_]+")

_NO = frozenset((Kind.NEGATION, Kind.WITHOUT, Kind.NONE, Kind.PRE, Kind.NATIVE))


def agent_of_text(text: str) -> Statement:
    """Tell what a series description or a name says of a contrast agent.

    Parameters
    ----------
    text : str
        In any of some twelve languages.

    Returns
    -------
    Statement
        `ContrastAgent.UNKNOWN` if it says nothing, or speaks of images with and without agent. A
        negation goes before an agent elsewhere in the text, which may be the name of the study.
    """
    plain = plain_text(text)
    words = list(split_words(plain, kind_of_word))
    kinds = _without_others("".join(word.kind for word in words))
    for agent, rule in ((ContrastAgent.NOT_GIVEN, _NOT_GIVEN), (ContrastAgent.GIVEN, _GIVEN)):
        if match := rule.search(kinds):
            start, end = _whole_words(words, match.start(), match.end())
            return Statement(agent, plain[start:end].lower())
    return Statement(ContrastAgent.UNKNOWN, "")


def _without_others(kinds: str) -> str:
    """The kinds, with `Kind.IGNORED` for words that speak of something else or of both images."""
    return _OF_BOTH.sub(_ignored, _without_something_else(kinds))


def _without_something_else(kinds: str) -> str:
    kinds = _ARTICLE.sub(Kind.LINK, kinds).replace(Kind.OHNE, Kind.NEGATION)
    return _OF_SOMETHING_ELSE.sub(_ignored, kinds)


def _ignored(match: re.Match[str]) -> str:
    return Kind.IGNORED * len(match[0])


def _whole_words(words: Sequence[Word], first: int, end: int) -> tuple[int, int]:
    """Start and end of words in the text, with what is glued before them: "t1ce", not "ce"."""
    while first and words[first - 1].end == words[first].start:
        first -= 1
    return words[first].start, words[end - 1].end


def names_agent(entry: str) -> bool:
    """Whether an entry, such as *Contrast/Bolus Agent* of DICOM or ``ce`` of BIDS, names an agent.

    Parameters
    ----------
    entry : str
        In any of some twelve languages; ``kein KM``, ``none`` and ``0 ml`` name none.
    """
    plain = plain_text(entry).lower()
    words = _ENTRY_WORD.findall(plain)
    own = [w for w in words if kind_of_word(w) not in _ANY_AGENT and w not in _ANY_AGENT_WORDS]
    if not words or _UNKNOWN_AGENT.fullmatch(" ".join(own)):
        return False
    if agent_of_text(entry).agent is ContrastAgent.NOT_GIVEN:
        return False
    kinds = "".join(word.kind for word in split_words(plain, kind_of_word))
    kinds = _without_something_else(kinds)
    return not _NO & {*kinds[:1], *kinds[-1:]}


def agent_of_entities(entities: Mapping[str, str]) -> ContrastAgent:
    """Tell what the entities of a BIDS name say of a contrast agent.

    The entity ``ce`` says so by itself. Without it, the labels of ``acq``, ``rec`` and ``desc``
    may, in words such as ``mpragePost``.

    Parameters
    ----------
    entities : mapping of str to str
        Labels by key, as ``{"sub": "01", "acq": "mpragePost"}``.
    """
    if "ce" in entities:
        named = names_agent(entities["ce"])
        return ContrastAgent.GIVEN if named else ContrastAgent.NOT_GIVEN
    return agent_of_text("; ".join(entities.get(key, "") for key in ("acq", "rec", "desc"))).agent
