"""Whether a text says that a contrast agent was given: a series description, or the labels of BIDS.

Scanners are operated in many languages, and a text may negate the agent that it names ("sans
gado"), speak of both ("senza e con mdc"), or of something else ("post-op", "without fat
saturation"). Hence each word becomes the letter of its kind in `_WORDS`, and patterns of a few
letters tell what the words say: ``nk`` is "ohne Kontrast", ``Po`` "post surgery".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from smalltumor.data.naming.name_words import plain_text, split_words


class Agent(Enum):
    """What a text says of a contrast agent."""

    GIVEN = "given"
    NOT_GIVEN = "not given"
    UNKNOWN = "unknown"


class Statement(NamedTuple):
    """What a text says, and its words that say so: in lower case without accents, or empty."""

    agent: Agent
    words: str


_WORDS: Mapping[str, str] = MappingProxyType(
    {
        # agents, trade names, and words that are only said of them
        "a": "gd gad gado* gbca gddtpa gdtpa gddota gdbopta km mkm ivkm ce mdc pdc cte ct1 wc pc"
        " ablavar artirem clariscan cyclolux dotarem elucirem eovist gadavist magnevist multihance"
        " omniscan optimark pixxoscan primovist prohance vueway enhanced enh inj inject* injekt*"
        " injet* injec* iniez* inietta* inyec* civ ку гадо* усилен* 造影 造影剤 造影剂 造影劑 増強"
        " 增强 增強 强化 对比剂 對比劑 钆 조영 조영제 조영증강",
        # contrast, and what makes it that of an image: before, after
        "k": "contrast* conrast* kontrast* kontrasc* контраст*",
        "h": "high hi low soft tissue image multi t2 t2w",
        "q": "optimi*",
        # what means an agent only beside a negation, "with" or a sign
        "v": "iv ivc ev agent kl contr cont",
        "c": "c",
        "i": "i",
        # negations of the agent that follows; "o" is "ohne", or an article as "un" is
        "n": "no non not sans sin sem senza ohne kein* without* zonder utan uden uten bez s/ n/"
        " before avant antes ante prima vor v. voor fore foer przed без до не"
        " 非 未 無 无 不 무 비",
        "O": "o o. un",
        # negations that need no agent: "without", "pre", "unenhanced"
        "w": "wo without",
        "p": "pre",
        "b": "nativ* natif unenhanced plain basale blanco okm ungd t1n noncon nocon kontrastsiz"
        " kontrastfrei kontrastmittelfrei нативн* 単純 单纯 平扫 平掃 造影無 造影剤無",
        # negations of the agent that they follow
        "s": "none frei なし 無し 未使用 不使用 使用せず 前 전",
        # "post" needs no agent, "after" and "with" do; "con" is with, or short for contrast
        "P": "post",
        "d": "after apres dopo despues tras depois apos pos nach n. na po efter etter после"
        " 後 后 후",
        "m": "with w w/ avec mit m. com c/ met med z с",
        "M": "con",
        # both, and what joins the two
        "2": "wwo oum 前後 前后 전후",
        "&": "& / and et und u bzw e y en och og puis then и 及 和 と 및 ・",
        "+": "+",
        # links between a negation and its agent
        "l": "de del della di do da du des der dem den von of the to la の gabe admin* applikation"
        " application verabreichung podaniem podaniu somministrazion* toediening введения medio"
        " mezzo meio produit mittel intraven* 投与 注入 注射 주입 투여",
        # before or after what else an image may be: surgery, the fossa, months, "pre-scan"
        "o": "op ops oper* operac* surg* chir* cirug* cirurg* quirurg* interven* eingriff zabieg*"
        " rt xrt crt srs rad radiat* radiot* radios* radioch* chemor* bestrahl* bestral* strahl*"
        " treat* therap* terap* traitem* tratt* tratam* tx trt chemo* chimio* quimio* tmz bx"
        " biops* resec* resek* resez* craniot* kraniot* embol* ablat* shunt* implant* dbs gamma*"
        " cyber* gk laser* litt icu covid* natal partum mortem ictal iktal stroke trauma* injur*"
        " stim* proc* hoc операц* лечен* облуч* терап* 術 术 手術 手术 治療 治疗 放疗 化疗 照射"
        " 수술 치료",
        "y": "fossa fosse fossae",
        "u": "month* mo mos monat* mois mesi meses week* wk wks woche* days tage* jours year* yr"
        " yrs jahr*",
        "z": "scan",
        # what else a series may be without
        "f": "fs fat fatsat sat supp* mt mtc gap motion flow",
        "t": "t1 t1w",
        # what labels of BIDS glue to the agent, and words that only look like glued ones
        "x": "t1se spgr fspgr mprage mp2rage mpr space spc cube bravo vibe flash tse tfe ffe fse"
        " se gre fl tfl wi ax axial sag cor tra iso mm hr trace since cert kmax presat prescan"
        " postproc",
    }
)
"""Words by their kind; those with ``*`` are beginnings of words."""

_LINKS = "[lv]*"
_AGENTS = "(?:l*[akvcM])*"
_AND = "[&+i]+"
_WITH = rf"(?:[mMdP]?{_LINKS}[akvci]\+?|P|\+[akci])"
_WITHOUT = rf"(?:[nwp]{_LINKS}[akvcM]~?|p|b|[akvci]l*[s~])"
_NO_OTHER = "(?!l*f)"

_OF_OTHERS = re.compile(
    "[pPndw]l*o+"  # surgery
    "|[pPnd][l9]*u|u9*P"  # months after it
    "|Py|yP|pz"  # the posterior fossa; "pre-scan normalize"
    "|hk|kq|-[ak]"  # of the image; and "-Gd", with a hyphen or a minus
)
_BOTH = re.compile(
    rf"[nwp]~?{_AND}[mMdP]{_AGENTS}{_NO_OTHER}"  # sans et avec gado
    rf"|(?:[mMd]{_AND}[nw]|P~?{_AND}p){_AGENTS}{_NO_OTHER}"  # with and without
    rf"|{_WITHOUT}{_AND}{_WITH}|{_WITH}{_AND}{_WITHOUT}"  # ohne KM und mit KM
    rf"|p[akv]?P[akv]*|P[akv]?p[akv]*|(?<!t)mw{_AGENTS}|wm{_AGENTS}{_NO_OTHER}"  # pre post; w wo
    rf"|b[mMdP]?{_LINKS}[ak](?!l*[s~])|[mMdP]?{_LINKS}[ak]b"  # nativ KM
    r"|[akci]~[akci]\+|[akci]\+[akci]~"  # C- C+
    rf"|nc[ak]|2{_AGENTS}|[akci]l*2"  # s/c contraste; +/- Gd
)
_IS_NOT = re.compile(
    rf"[nw]{_LINKS}[akvc]|[nw]M|w{_NO_OTHER}|p[akM]?|b|[akvci]l*[s~]|-[ci]",
)
_IS = re.compile(rf"[mMdP]?{_LINKS}[ak]|P|mM|[civ]\+|\+[civ]|tc|[mMd]{_LINKS}[vc]")

_NONE = frozenset(("none", "no", "n", "false", "0"))
"""Labels of the entity ``ce``."""

_KIND_OF_WORD = {word: kind for kind, words in _WORDS.items() for word in words.split()}


@lru_cache(maxsize=4096)
def _kind_of_word(word: str) -> str:
    beginnings = (f"{word[:end]}*" for end in range(len(word), 1, -1))
    return next((_KIND_OF_WORD[w] for w in (word, *beginnings) if w in _KIND_OF_WORD), "")


def agent_of_text(text: str) -> Statement:
    """Tell what a series description or a name says of a contrast agent.

    Parameters
    ----------
    text : str
        In any of some twelve languages.

    Returns
    -------
    Statement
        `Agent.UNKNOWN` if it says nothing, or speaks of images with and without agent. A negation
        goes before an agent elsewhere in the text, which may be the name of the study.
    """
    plain = plain_text(text)
    words = list(split_words(plain, _kind_of_word))
    kinds = _kinds_that_tell("".join(kind for kind, _, _ in words))
    for agent, pattern in ((Agent.NOT_GIVEN, _IS_NOT), (Agent.GIVEN, _IS)):
        if match := pattern.search(kinds):
            first = match.start()
            while first and words[first - 1][2] == words[first][1]:  # "t1ce", not "ce"
                first -= 1
            start, end = words[first][1], words[match.end() - 1][2]
            return Statement(agent, plain[start:end].lower())
    return Statement(Agent.UNKNOWN, "")


def _kinds_that_tell(kinds: str) -> str:
    """Kinds of words, with ``x`` for those that speak of other things or of both images."""
    kinds = re.sub("(?<=[mMdP])O", "l", kinds).replace("O", "n")
    for others in (_OF_OTHERS, _BOTH):
        kinds = others.sub(lambda match: "x" * len(match[0]), kinds)
    return kinds


def agent_of_entities(entities: Mapping[str, str]) -> Agent:
    """Tell what the entities of a BIDS name say of a contrast agent.

    The entity ``ce`` says so by itself. Without it, the labels of ``acq``, ``rec`` and ``desc``
    may, in words such as ``mpragePost``.

    Parameters
    ----------
    entities : mapping of str to str
        Labels by key, as ``{"sub": "01", "acq": "mpragePost"}``.
    """
    if "ce" in entities:
        label = entities["ce"].lower()
        is_none = label in _NONE or agent_of_text(entities["ce"]).agent is Agent.NOT_GIVEN
        return Agent.NOT_GIVEN if is_none else Agent.GIVEN
    return agent_of_text("; ".join(entities.get(key, "") for key in ("acq", "rec", "desc"))).agent
