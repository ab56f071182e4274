"""Which sequence a series is: T1, T1CE, T2 or FLAIR, from its names, its times, and the reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from smalltumor.data.naming.contrast_agent import Agent, agent_of_text
from smalltumor.scanner.series import Acquisition

_START, _END = r"(?<![a-z0-9])", r"(?![a-z0-9])"


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(_START + "(?:" + "|".join(patterns) + ")" + _END)


_SPINE = "of the spine"
_HEAD = re.compile(r"brain|head|kopf|cran|sch[aä]d|cereb|hirn|t[eê]te|neuro|enceph")

_OTHER_IMAGES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "a localizer": _words(
            *("loc", "locali[sz]er", r"[a-z]*scout", "survey", "3.?plane.*", "tri.?pilot"),
            "smart.?brain",
        ),
        "diffusion": _words(
            *("(?:iso|s|r)?dwi?", "dti", "diff", "diffusion", "trace.?w?", "tensor", "noddi"),
            *("[ed]?adc", "fa", "colfa", r"b\d{3,4}", "ep2d.?diff.*", "resolve", "dmri"),
        ),
        "perfusion": _words(
            *("perf", "perfusion", "pwi", "dsc", "dce", "r?(?:el)?cb[vf]", "r?(?:el)?mtt", "ttp"),
            *("tmax", "p?c?asl", "pasl", "ktrans", "gbp", "pbp", "m0scan", "dyn(?:amic)?"),
        ),
        "susceptibility-weighted": _words(
            *("swi", "swan", "swip", "t2star", r"t2\*?.?star", "hemo", "heme", "qsm", "fl2d.*heme"),
            "t2w?.?(?:ax.?|tra.?)?(?:gre|ffe|fl[23]d|flash|medic)(?:.?tra)?",
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
            *("[hbl]ws", "[ctl].?spine", "spine(?!.?coil)", r"cervical\w*", r"lumb\w*", "rachis"),
            *(r"wirbels\w*", "spinal", "myelo.*", "colonna", "columna", "coluna", "[頚頸胸腰]椎"),
        ),
        "a fat or opposed-phase image": re.compile(
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
            "t[12].?map", "r[12].?map", "t1.?images", "mdme", "synthetic", "uni.?den.?map"
        ),
        "a mask": _words("mask", "seg", "segm?", "segmentation", "label", "labels", "roi"),
    }
)
_EPI = _words("epi")
_T2_STAR = re.compile(r"t2\*|t2[-_ ]?star")

_BY_PROTON_DENSITY = "proton density"
_PROTON_DENSITY = _words("pd", "pdw", "proton.?density")
_FLAIR = re.compile(r"flair|dark.?fl|tir2d|spcir|" + _START + r"(?:fla|t2f|tirm)" + _END)
_T1 = re.compile(  # Philips writes sT1W and eT1W, SPM rT1 and wT1
    _START
    + r"(?:3d.?|[cemrsw])?t1(?![0-9])|mp2?rage|tfl3d|"
    + _START
    + r"(?:f?spgr|bravo|3d.?tfe)"
    + _END
)
_T2 = re.compile(_START + r"(?:3d.?|[emrsw])?t2(?![0-9])|" + _START + r"fr.?fse" + _END)

_LONGEST_STIR_MS = 400.0
"""Fat is suppressed at inversion times of 100 to 250 ms, fluid at 1500 to 2900 ms."""

COLOUR = "COLOUR"
"""Stands among the values of Image Type for pixels that are colours, as no image of a case has."""

_NO_AGENT = frozenset(("", "none", "no", "n", "n/a", "na", "without", "0", "false", "no contrast"))

_OTHER_TYPES: Mapping[str, str] = MappingProxyType(
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


@dataclass(frozen=True)
class Classification:
    """What a series is, and why.

    Parameters
    ----------
    sequence : str, optional
        One of `smalltumor.data.naming.case_files.MODALITIES`; None if it is another one or
        undecided.
    reason : str
        Part of a sentence, for the user.
    undecided : bool
        Whether it may be one of the four, but the reasons do not suffice.
    by_times : bool
        Whether repetition, echo and inversion times tell the sequence, and no name does.
    by_order : bool
        Whether it counts as T1CE only because it was acquired after another one.
    """

    sequence: str | None
    reason: str
    undecided: bool = False
    by_times: bool = False
    by_order: bool = False


def classify(acquisition: Acquisition) -> Classification:
    """Tell the sequence of a series.

    Names are trusted before times, except where these exclude what the name says.

    Parameters
    ----------
    acquisition : Acquisition

    Returns
    -------
    Classification
    """
    text = acquisition.text.lower()
    other = _other_image(text, acquisition)
    if other is not None:
        return Classification(None, other)
    named, named_reason = _by_name(text)
    if named is None:
        named, named_reason = _by_name(acquisition.protocol.lower())
    if named is None:
        folder = acquisition.folder.lower()
        other = _other_name(folder, "folder")
        if other is not None:
            return Classification(None, other)
        named, named_reason = _by_name(folder, "folder")
    timed, timed_reason = _by_times(acquisition)
    if named == "t2" and timed == "flair":
        named, named_reason = None, ""
    if named and timed and (named == "t1") != (timed == "t1"):
        reason = f"{named_reason}, but {timed_reason}"
        return Classification(None, reason, undecided=True)
    if named == "t2" and timed is None and timed_reason.endswith(_BY_PROTON_DENSITY):
        return Classification(None, f"{timed_reason}, although {named_reason}")
    weighting = named or timed
    if weighting is None:
        if timed_reason:
            return Classification(None, timed_reason)
        return Classification(None, "neither name nor times show the sequence", undecided=True)
    reason = ", ".join(r for r in (named_reason, timed_reason) if r)
    if weighting != "t1":
        return Classification(weighting, reason, by_times=named is None)
    with_agent, agent_reason = _contrast(acquisition)
    sequence = "t1ce" if with_agent else "t1"
    return Classification(sequence, f"{reason}; {agent_reason}", by_times=named is None)


def says_before_contrast(acquisition: Acquisition) -> bool:
    """Whether the name says that no contrast agent had been given."""
    return agent_of_text(acquisition.text).agent is Agent.NOT_GIVEN


def _other_image(text: str, acquisition: Acquisition) -> str | None:
    other = _other_name(text)
    if other is not None:
        return other
    if _PROTON_DENSITY.search(text) and not _T2.search(text):
        return "proton density, by its name"
    if _T2_STAR.search(text):
        return 'susceptibility-weighted: the name has "T2*"'
    if _EPI.search(text) and _may_be_echo_planar(text, acquisition):
        return 'functional: the name has "epi"'
    for value in sorted(acquisition.image_type):
        if value in _OTHER_TYPES:
            return f"{_OTHER_TYPES[value]}: the image type is {value}"
    gradient_echo = "GR" in acquisition.techniques and "SE" not in acquisition.techniques
    if gradient_echo and _T2.search(text) and not _T1.search(text) and not _FLAIR.search(text):
        return "susceptibility-weighted: a gradient echo"
    inversion_time = acquisition.inversion_time or 0.0
    short = 0 < inversion_time < _LONGEST_STIR_MS
    if short and _FLAIR.search(text) and not _T1.search(text):
        return f"a short inversion recovery: TI {inversion_time:.0f} ms"
    if "EP" in acquisition.techniques and not _FLAIR.search(text):
        return "echo-planar: diffusion, perfusion or functional"
    return None


def _may_be_echo_planar(text: str, acquisition: Acquisition) -> bool:
    """Whether "epi" can mean echo-planar; names of protocols for epilepsy have it, too."""
    named = any(pattern.search(text) for pattern in (_T1, _T2, _FLAIR))
    return not named and (not acquisition.techniques or "EP" in acquisition.techniques)


def _other_name(text: str, what: str = "name") -> str | None:
    for kind, pattern in _OTHER_IMAGES.items():
        match = pattern.search(text)
        if match is not None and not (kind == _SPINE and _HEAD.search(text)):
            return f'{kind}: the {what} has "{match[0]}"'
    return None


def _by_name(text: str, what: str = "name") -> tuple[str | None, str]:
    t1, t2, flair = _T1.search(text), _T2.search(text), _FLAIR.search(text)
    if t1 and not t2:  # a T1 FLAIR is a T1 with an inversion
        return "t1", f'the {what} has "{t1[0]}"'
    if flair:
        return "flair", f'the {what} has "{flair[0]}"'
    if t2 and not t1:
        return "t2", f'the {what} has "{t2[0]}"'
    return None, ""


def _by_times(acquisition: Acquisition) -> tuple[str | None, str]:
    """The weighting by repetition, echo and inversion time, or None."""
    tr, te, ti = (
        acquisition.repetition_time,
        acquisition.echo_time,
        acquisition.inversion_time or 0.0,
    )
    if tr is None or te is None:
        return None, ""
    times = f"TR {tr:.0f}, TE {te:.3g}" + (f", TI {ti:.0f} ms" if ti else " ms")
    if ti >= 1500 and te >= 60:
        return "flair", f"{times}: fluid is suppressed"
    if ti and te <= 30:
        return "t1", times
    if "GR" in acquisition.techniques and te > 12:
        return None, f"a gradient echo with {times} is susceptibility-weighted"
    if tr >= 2000 and te >= 60:
        return "t2", times
    if tr >= 2000 and te < 45 and "GR" not in acquisition.techniques and not ti:
        return None, f"{times}: {_BY_PROTON_DENSITY}"
    if te <= 30 and tr < 1500:
        return "t1", times
    return None, ""


def _contrast(acquisition: Acquisition) -> tuple[bool, str]:
    named = agent_of_text(acquisition.text)
    agent = acquisition.contrast_agent
    has_agent = agent.strip().lower() not in _NO_AGENT
    if named.agent is Agent.NOT_GIVEN:
        contradiction = f", although the header names the agent {agent}" if has_agent else ""
        return False, f'before contrast agent: the name has "{named.words}"{contradiction}'
    if has_agent:
        return True, f"with contrast agent: the header names {agent}"
    if named.agent is Agent.GIVEN:
        return True, f'with contrast agent: the name has "{named.words}"'
    folder = agent_of_text(acquisition.folder)
    if folder.agent is Agent.GIVEN:
        return True, f'with contrast agent: the folder has "{folder.words}"'
    return False, "nothing says that contrast agent was given"
