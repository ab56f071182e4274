"""Images that are none of T1, T1CE, T2 and FLAIR: localizers, diffusion, maps, subtractions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from smalltumor.data.naming.agent_words import Kind, kind_of_word
from smalltumor.data.naming.name_words import plain_text, split_words
from smalltumor.scanner.sequences.weighting import END, FLAIR, START, T1, T2
from smalltumor.scanner.series import Acquisition


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(START + "(?:" + "|".join(patterns) + ")" + END)


_SPINE = "of the spine"
_FAT = "a fat or opposed-phase image"
_HEAD = re.compile(r"brain|head|kopf|cran|sch[aä]d|cereb|hirn|t[eê]te|neuro|enceph")

_UNSUPPORTED_WORDS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "a localizer": _words(
            *("loc", "locali[sz]er", r"[a-z]*scout", "survey", "3.?plane.*", "tri.?pilot"),
            *("smart.?brain", "locator", "locali[sz]ador", "lokalisator", "rep[eé]rage"),
            *("(?:ü|ue)bersicht", "定位[像图圖]?", "位置決め"),
        ),
        "diffusion": _words(
            *("(?:iso|s|r)?dwi?", "dti", "diff", "trace.?w?", "tensor", "noddi"),
            *(
                r"dif+us(?:i[oó]n\w*|ie|[aã]o)",
                r"диффузи\w*",
                "拡散",
                "弥[散漫]",
                "[扩擴]散",
                "확산",
            ),
            *("[ed]?adc", "fa", "colfa", r"b\d{3,4}", "ep2d.?diff.*", "resolve", "dmri"),
        ),
        "perfusion": _words(
            *("perf", r"perfus\w*", "灌[流注]", "관류", "pwi", "dsc", "dce"),
            *("r?(?:el)?cb[vf]", "r?(?:el)?mtt", "ttp"),
            *(
                "tmax",
                "p?c?asl",
                "pasl",
                "ktrans",
                "gbp",
                "pbp",
                "m0scan",
                r"dyn(?:am\w*)?",
                r"din[aâá]m\w*",
            ),
        ),
        "susceptibility-weighted": _words(
            *("swi", "swan", "swip", "t2star", r"t2\*?.?star", "hemo", "heme", "qsm", "fl2d.*heme"),
            "t2w?.?(?:ax.?|tra.?)?(?:gre|ffe|fl[23]d|flash|medic|eg)(?:.?tra)?",
            "t2w?.?(?:ax(?:ial)?.?|tra.?)?(?:stern|[eé]toile|estrella|stella)",
            r"t2\w?.?[eé]ch?o.?(?:de.?)?grad\w*",
        ),
        "an angiography": _words(
            *("tof", "mra", "mrv", "angio.*", "pc.?mra?", "cow"),
            r"ven(?:c?\d*|og.*|ous.*)",
        ),
        "functional": _words("bold", "fmri", "rest", "rsfmri", "task.*", "sbref"),
        "spectroscopy": _words("mrs", "spectro.*", "csi", "svs", "press"),
        "a projection": _words("mip", "minip", "projection"),
        "a subtraction": _words(
            *("sub(?!-)", "subs?tr.*", "soustr.*", "sottr.*", "sustr.*", "minus", "difference"),
            *("differenz(?:bild)?", "resta", "差分", "サブトラクション", "[减減]影"),
            r"t1w?[ _]?(?:ce|c|gd|gado?|km|post|\+c)[ _]*(?:-|minus)[ _]*t1\w*",
            r"(?:ce|gd|gado?|km|post|c\+|\+c|[ck]ontrast\w*)[ _]*-[ _]*(?:pre|nativ\w*|plain)"
            r"(?![-_ ]?(?:op|surg|rt|treat|chemo|bx|biops|rad))",
        ),
        _SPINE: _words(
            *("[hblg]ws", "[ctl].?spine", "spine(?!.?coil)", r"cervical\w*", "rachis"),
            *(r"lumb\w*", r"lomb\w*", r"wirbels\w*", "spinal", "myelo.*", "colonna", "columna"),
            *("coluna", "moelle", r"m[eé]dula", "[頚頸颈胸腰]椎", "脊[柱椎髓髄]", "척추"),
        ),
        _FAT: re.compile(
            r"^fat:|(?:dixon|ideal|flex|quant|vibe|lava)[^;]*[_ -](?:f|ff|fat)(?=$|;)"
            r"|(?<![a-z0-9])(?:opp|opposed|out.?(?:of.?)?phase|oop|fat.?(?:only|fraction))(?![a-z0-9])"
        ),
        "a calibration scan": _words("calib.*", "cal", "sense.?ref.*", "ref.?scan", "coil.?cal"),
        "a field map": _words(
            *("(?:gre.?)?field.?map[a-z]*", "gre.?fm", "fmap", "b[01]", "b[01].?map[a-z]*"),
            *("magnitude[12]?", "phase(?:diff|[12])"),
        ),
        "a short inversion recovery": _words("stir"),
        "steady-state free precession": _words(
            "ciss(?:.?3d)?", "fiesta.?c?", "trufi", "b?ssfp", "bffe"
        ),
        "double inversion": _words("dir"),
        "a parameter map": _words(
            "t[12].?map", "r[12].?map", "t1.?images", "mdme", "uni.?den.?map"
        ),
        "a synthetic image": _words(
            *("synthetic", "syn.?(?:t[12]w?|flair|pd|stir)", "symri", "magic")
        ),
        "an image at one inversion time, of two": _words("inv.?[12]"),
        "a mask": _words("mask", "seg", "segm?", "segmentation", "label", "labels", "roi"),
    }
)
_EPI = _words("epi")
_T2_STAR = re.compile(r"t2\*|t2[-_ ]?star")

_PROTON_DENSITY = _words("pd", "pdw", "proton.?density")

_MAX_STIR_MS = 400.0
"""Fat is suppressed at inversion times of 100 to 250 ms, fluid at 1500 to 2900 ms."""

COLOUR = "COLOUR"
"""Stands among the values of Image Type for pixels that are colours, as no image of a case has."""

_UNSUPPORTED_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "ADC": "diffusion",
        "DIFFUSION": "diffusion",
        "TRACEW": "diffusion",
        "FA": "diffusion",
        "PERFUSION": "perfusion",
        "PROJECTION IMAGE": "a projection",
        "MIP": "a projection",
        "MIN_IP": "a projection",
        "MNIP": "a projection",
        "SUBTRACTION": "a subtraction",
        "SUB": "a subtraction",
        "I": "an imaginary image",
        "IMAGINARY": "an imaginary image",
        "LOCALIZER": "a localizer",
        "MOSAIC": "diffusion, perfusion or functional",
        "PHASE": "a phase image",
        "P": "a phase image",
        "FAT": "a fat image",
        "F": "a fat image",
        "FF": "a fat fraction",
        "FAT_FRACTION": "a fat fraction",
        "OPP_PHASE": "an opposed-phase image",
        "OUT_PHASE": "an opposed-phase image",
        "OP": "an opposed-phase image",
        COLOUR: "a picture in colours",
    }
)


def unsupported_series(text: str, acquisition: Acquisition) -> str | None:
    """What other image than T1, T2 and FLAIR a series is, and why; None if it may be one of them.

    Parameters
    ----------
    text : str
        Of the acquisition, in lower case.
    acquisition : Acquisition
    """
    other = unsupported_name(text)
    if other is not None:
        return other
    if _PROTON_DENSITY.search(text) and not T2.search(text):
        return "proton density, by its name"
    if _T2_STAR.search(text):
        return 'susceptibility-weighted: the name has "T2*"'
    if _EPI.search(text) and _may_be_echo_planar(text, acquisition):
        return 'functional: the name has "epi"'
    for value in sorted(acquisition.image_type):
        if value in _UNSUPPORTED_TYPES:
            return f"{_UNSUPPORTED_TYPES[value]}: the image type is {value}"
    gradient_echo = "GR" in acquisition.techniques and "SE" not in acquisition.techniques
    if gradient_echo and T2.search(text) and not T1.search(text) and not FLAIR.search(text):
        return "susceptibility-weighted: a gradient echo"
    inversion_time = acquisition.inversion_time or 0.0
    short = 0 < inversion_time < _MAX_STIR_MS
    if short and FLAIR.search(text) and not T1.search(text):
        return f"a short inversion recovery: TI {inversion_time:.0f} ms"
    if "EP" in acquisition.techniques and not FLAIR.search(text):
        return "echo-planar: diffusion, perfusion or functional"
    return None


def _may_be_echo_planar(text: str, acquisition: Acquisition) -> bool:
    """Whether "epi" can mean echo-planar; names of protocols for epilepsy have it, too."""
    named = any(pattern.search(text) for pattern in (T1, T2, FLAIR))
    return not named and (not acquisition.techniques or "EP" in acquisition.techniques)


def unsupported_name(text: str, what: str = "name") -> str | None:
    """What other image a name tells, and why; None if it tells none.

    Parameters
    ----------
    text : str
        In lower case.
    what : str
        What has the name, in the reason.
    """
    for kind, pattern in _UNSUPPORTED_WORDS.items():
        for match in pattern.finditer(text):
            beside_head = kind == _SPINE and _HEAD.search(text)
            without_fat = kind == _FAT and _is_negated(match[0])
            if not beside_head and not without_fat:
                return f'{kind}: the {what} has "{match[0]}"'
    return None


def _is_negated(words: str) -> bool:
    """Whether the last of some words is negated: "post no fat"."""
    *before, _ = split_words(plain_text(words), kind_of_word)
    return bool(before) and before[-1].kind in (Kind.NEGATION, Kind.WITHOUT)
