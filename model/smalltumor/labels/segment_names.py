"""What the names of segments say: a tissue class, a region, or the resection cavity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from smalltumor.labels.regions import Region, TissueClass

Meaning = TissueClass | Region
"""A tissue class, `TissueClass.BACKGROUND` for the resection cavity, or TC or WT. ET is a class."""

_NAMES: Mapping[Meaning, str] = MappingProxyType(
    {
        TissueClass.ET: (
            "et|cet|enhancing|enhancement|enhancing tumor|enhancing lesion|enhancing tissue|"
            "contrast enhancement|contrast enhancing|contrast enhancing tumor|"
            "contrast enhancing lesion|gd enhancing tumor|gadolinium enhancing tumor"
        ),
        TissueClass.NCR: (
            "ncr|net|netc|ncr net|necrosis|necrotic|necrotic core|necrotic tumor|"
            "necrotic tumor core|non enhancing|non enhancing core|non enhancing tumor|"
            "non enhancing tumor core|necrotic and non enhancing tumor core|"
            "necrosis or non enhancing core|cystic component"
        ),
        TissueClass.ED: (
            "ed|edema|peritumoral edema|perifocal edema|vasogenic edema|edematous tissue|snfh|"
            "peritumoral edematous tissue|invaded tissue|flair hyperintensity|"
            "t2 flair hyperintensity|surrounding non enhancing flair hyperintensity"
        ),
        Region.TC: "tc|tumor core",
        Region.WT: "wt|whole tumor|complete tumor",
        TissueClass.BACKGROUND: "rc|cavity|resection cavity|surgical cavity",
    }
)
_MEANINGS = {name: meaning for meaning, names in _NAMES.items() for name in names.split("|")}
_SPELLINGS = (
    ("tumour", "tumor"),
    ("oedema", "edema"),
    ("nonenhancing", "non enhancing"),
    ("nonenhanced", "non enhancing"),
    ("post operative", ""),
)
_FILLERS = frozenset(("label", "class", "region", "mask", "segment", "seg", "the"))
_BETWEEN = re.compile(r"[()\[\]/,;:|+&=]|\s-\s|\s(?:and|or)\s")


def meaning_of_name(name: str) -> Meaning | None:
    """What the name of a segment says; None if it is unknown, or says two things.

    Parameters
    ----------
    name : str
        Such as ``Enhancing Tumor (ET)``, ``NCR/NET`` or ``peritumoural oedema``; ``GTV``,
        ``Tumor`` and ``Segment_1`` say nothing.
    """
    whole = _MEANINGS.get(_normalised(name))
    if whole is not None:
        return whole
    parts = [text for part in _BETWEEN.split(name) if (text := _normalised(part))]
    meanings = {_MEANINGS.get(part) for part in parts}
    return meanings.pop() if len(meanings) == 1 else None


def _normalised(name: str) -> str:
    words = " ".join(re.findall(r"[^\W\d_]+\d*|\d+", name.lower()))
    for spelling, usual in _SPELLINGS:
        words = words.replace(spelling, usual)
    return " ".join(w for w in words.split() if w not in _FILLERS and not w.isdigit())
