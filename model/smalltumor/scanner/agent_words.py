"""Words of names of series that tell whether a contrast agent had been given.

Scanners are operated in many languages, and a name may negate the agent that it names: "sans gado",
"ohne Kontrastmittel", "sin contraste". Names are compared in lower case without accents.
"""

from __future__ import annotations

import re
import unicodedata

_START, _END = r"(?<![a-z0-9])", r"(?![a-z0-9])"

_PRODUCTS = (
    "gado\\w*|gadovist|gadavist|dotarem|magnevist|prohance|multihance|omniscan|clariscan|vueway"
    "|elucirem|artirem|pixxoscan|optimark|ablavar"
)
_AGENT = (
    rf"(?:gd|gad|gd.?dtpa|{_PRODUCTS}|cont?rast\w*|kontrast\w*|con|km|ce|mdc|inj|inject?\w*|iniez\w*"
    r"|inyec\w*|agent)"
)
_NO = (
    "without|w.?o|sans|sin|sem|senza|ohne|o|zonder|utan|uden|uten|bez|no|non|not"
    "|before|pre|avant|antes|prima|vor|voor|fore|før|przed"
)
_BETWEEN = r"[ _./+]*(?:(?:de|del|di|da|du|the|of|iv|i\.?v\.?|gabe|admin\w*)[ _./]+)*"

_BEFORE = re.compile(
    rf"{_START}(?:(?:{_NO}){_BETWEEN}-?{_AGENT}|pre|w.?o|without|nativ\w*|unenhanced|non?.?enhanced"
    rf"|t1n|ce-none){_END}|造影剤?(?:前|なし|無し|無)|[非未無无]造影|[非未無无]增[强強]|增[强強]前|単純|平[扫掃]"
)
_AFTER = re.compile(
    rf"{_START}(?:(?:\+|ce.?)?(?:gd|gad|gdtpa|gd.?dtpa|{_PRODUCTS})|post|postcontrast|postgad"
    r"|cont?rast\w*|kontrast\w*|ce|km|mdc|inject?\w*|iniez\w*|inyec\w*|apres|despues|dopo|enhanced"
    rf"|wc|pc|t1c|t1ce|t1gd|t1gad|t1post|t1km|ct1|t1.?c){_END}|\+ ?(?:c|gd|gad|km)\b|\b[ci]\+"
    r"|造影|增强|增強"
)

_SURGERY = re.compile(r"(?:pre|post)[-_ ]?(?:op|surg|rt|treat|bx|chemo)[a-z]*")
_BOTH = re.compile(
    _START + r"w(?:ith)?(?: and |[ /_&+-]+)w(?:ith)?.?o(?:ut)?(?:[ _-]*(?:contrast|gd|gad))?" + _END
)


def before_agent(name: str) -> str:
    """The words that say that no contrast agent had been given; empty if none do."""
    return _found(_BEFORE, name)


def after_agent(name: str) -> str:
    """The words that say that a contrast agent had been given; empty if none do.

    They may be a part of those of `before_agent`, which go before.
    """
    return _found(_AFTER, name)


def _found(pattern: re.Pattern[str], name: str) -> str:
    match = pattern.search(_without_studies(_without_accents(name.lower())))
    return match[0] if match else ""


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")


def _without_studies(text: str) -> str:
    """The name without "post-op", and without "w/wo", which is said of whole studies."""
    return _BOTH.sub(" ", _SURGERY.sub(" ", text))
