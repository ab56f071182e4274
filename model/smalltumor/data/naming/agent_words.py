"""Words that tell whether a contrast agent was given, by their kind.

What words say together, such as ``NEGATION AGENT``, is told by the rules of
`smalltumor.data.naming.contrast_agent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType


class Kind(StrEnum):
    """Kinds of words, numbers and signs.

    A text becomes a string of values, one for each word, which regular expressions search. Hence a
    value is one character; it stands here only, and the rules use the names.
    """

    AGENT = "a"
    CONTRAST = "k"
    IMAGE = "h"
    """What makes the contrast that follows that of an image: "high contrast"."""
    OPTIMISED = "q"
    """What makes the contrast before it that of an image."""
    VAGUE = "v"
    """What means an agent only beside a negation, "with", "after" or a sign: "no IV"."""
    LETTER_C = "c"
    LETTER_I = "i"
    NEGATION = "n"
    """What negates the agent that follows: "no", "before"."""
    OHNE = "O"
    """German "ohne" (without), or an article: "com o contraste"."""
    WITHOUT = "w"
    """A negation that needs no agent."""
    PRE = "p"
    """A negation that needs no agent, but may go before surgery."""
    NATIVE = "b"
    """What means an image without agent by itself."""
    NONE = "s"
    """What negates the agent before it: "KM frei"."""
    POST = "P"
    """Says by itself that an agent was given, but may go before surgery."""
    AFTER = "d"
    """Says that an agent was given where it ends a name: "T1 dopo"."""
    OR_AFTER = "e"
    """Says "after" beside an agent; alone it may mean something else: "tras" is transverse."""
    WITH = "m"
    CON = "M"
    """Spanish and Italian "with", or short for contrast."""
    BOTH = "2"
    """With and without."""
    AND = "&"
    BREAK = ";"
    """Between names: of the series, of the sequence."""
    PLUS = "+"
    LINK = "l"
    """What may stand between a negation and its agent: "sans injection de gado"."""
    TREATMENT = "o"
    FOSSA = "y"
    TIME = "u"
    """Units of time: "3 months post"."""
    PREPARATION = "z"
    """What "pre" before it speaks of: "pre-scan", "pre-filled syringe"."""
    TECHNIQUE = "f"
    """What else an image may be with or without: fat saturation."""
    T1 = "t"
    OTHER = "x"
    IGNORED = "."
    """What is said of something else, or of images with and without agent."""
    NUMBER = "9"
    MINUS = "~"
    """After a word: "Gd-", "Gd(-)"."""
    HYPHEN = "-"
    """Before a word, where it may be a minus: "-Gd"."""


WORDS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.AGENT: "gd gad gado* gbca gddtpa gdtpa gddota gdbopta km mkm ivkm ce mdc pdc cte ct1"
        " wc pc ablavar artirem clariscan cyclolux dotarem elucirem eovist gadavist magnevist"
        " multihance omniscan optimark pixxoscan primovist prohance vueway enhanced enh inj inject*"
        " injekt* injet* injec* iniez* inietta* inyec* civ ку гадо* усилен* 造影 造影剤 造影剂"
        " 造影劑 増強 增强 增強 强化 对比剂 對比劑 钆 조영 조영제 조영증강",
        Kind.CONTRAST: "contrast* conrast* kontrast* kontrasc* контраст*",
        Kind.IMAGE: "high hi low soft tissue image multi t2 t2w",
        Kind.OPTIMISED: "optimi*",
        Kind.VAGUE: "iv ivc ev agent kl contr cont",
        Kind.LETTER_C: "c",
        Kind.LETTER_I: "i",
        Kind.NEGATION: "no non not sans sin sem senza ohne kein* without* zonder utan uden uten bez"
        " nicht niet geen nie nao aucun* ningun* nenhum* nessun* ingen inget intet нет"
        " s/ n/ before avant antes ante prima vor v. voor fore foer przed без до не 非 未 無 无 不"
        " 무 비",
        Kind.OHNE: "o o. un",
        Kind.WITHOUT: "wo without",
        Kind.PRE: "pre",
        Kind.NATIVE: "nativ* natif unenhanced plain basale blanco okm ungd t1n noncon nocon"
        " kontrastsiz kontrastfrei kontrastmittelfrei нативн* 単純 单纯 平扫 平掃 造影無 造影剤無",
        Kind.NONE: "none nothing nil frei nein nee nej yok なし 無し 未使用 不使用 使用せず 否 前"
        " 전",
        Kind.POST: "post",
        Kind.AFTER: "after apres dopo despues depois nach efter etter после",
        Kind.OR_AFTER: "tras apos pos n. na po 後 后 후",
        Kind.WITH: "with w w/ avec mit m. com c/ met med z с",
        Kind.CON: "con",
        Kind.BOTH: "wwo oum 前後 前后 전후",
        Kind.AND: "& / and et und u bzw e y en och og puis then и 及 和 と 및 ・",
        Kind.BREAK: ";",
        Kind.PLUS: "+",
        Kind.LINK: "de del della di do da du des der dem den von of the to la の gabe admin*"
        " applikation application verabreichung podaniem podaniu somministrazion* toediening"
        " введения medio mezzo meio produit mittel intraven* 投与 注入 注射 주입 투여",
        Kind.TREATMENT: "op ops oper* operac* surg* chir* cirug* cirurg* quirurg* interven*"
        " eingriff zabieg* rt xrt crt srs rad radiat* radiot* radios* radioch* chemor* bestrahl*"
        " bestral* strahl* treat* therap* terap* traitem* tratt* tratam* tx trt chemo* chimio*"
        " quimio* tmz bx biops* resec* resek* resez* craniot* kraniot* embol* ablat* shunt*"
        " implant* dbs gamma* cyber* gk laser* litt icu covid* natal partum mortem ictal iktal"
        " stroke trauma* injur* stim* proc* hoc операц* лечен* облуч* терап* 術 术 手術 手术 治療"
        " 治疗 放疗 化疗 照射 수술 치료",
        Kind.FOSSA: "fossa fosse fossae",
        Kind.TIME: "month* mo mos monat* mois mesi meses week* wk wks woche* days tage* jours year*"
        " yr yrs jahr*",
        Kind.PREPARATION: "scan filled",
        Kind.TECHNIQUE: "fs fat fatsat sat supp* mt mtc gap motion flow",
        Kind.T1: "t1 t1w",
        # words that are glued to an agent in labels of BIDS, and those that only look glued
        Kind.OTHER: "t1se spgr fspgr mprage mp2rage mpr space spc cube bravo vibe flash tse tfe ffe"
        " fse se gre fl tfl wi ax axial sag cor tra iso mm hr trace since cert kmax presat prescan"
        " postproc",
    }
)
"""Words by their kind; those with ``*`` are beginnings of words. Words that are not listed are
`Kind.OTHER`."""

_KIND_OF_WORD = {word: kind for kind, words in WORDS.items() for word in words.split()}


@lru_cache(maxsize=4096)
def kind_of_word(word: str) -> str:
    """The `Kind` of a word in lower case; empty for a word that `WORDS` does not list."""
    beginnings = (f"{word[:end]}*" for end in range(len(word), 1, -1))
    return next((_KIND_OF_WORD[w] for w in (word, *beginnings) if w in _KIND_OF_WORD), "")
