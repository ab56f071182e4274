"""The weighting of a series: by a name, or by repetition, echo and inversion time."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from smalltumor.scanner.series import Acquisition


class Weighting(Enum):
    """What the contrast of an image depends on most."""

    T1 = "t1"
    T2 = "t2"
    FLAIR = "flair"
    PROTON_DENSITY = "proton density"
    T2_STAR = "T2*"


class Evidence(NamedTuple):
    """A weighting, and what tells it: a part of a sentence, for the user."""

    weighting: Weighting
    reason: str


START, END = r"(?<![a-z0-9])", r"(?![a-z0-9])"
"""Where a word of a name in lower case starts and ends."""

FLAIR = re.compile(
    r"flair|dark.?fl|tir2d|spcir|[压壓黑]水|水抑制|" + START + r"(?:fla|t2f|tirm)" + END
)
T1 = re.compile(  # Philips writes sT1W and eT1W, SPM rT1 and wT1
    START
    + r"(?:3d.?|[cemrsw])?t1(?![0-9])|mp2?rage|tfl3d|"
    + START
    + r"(?:f?spgr|bravo|3d.?tfe)"
    + END
)
T2 = re.compile(START + r"(?:3d.?|[emrsw])?t2(?![0-9])|" + START + r"fr.?fse" + END)


def weighting_by_name(name: str, what: str = "name") -> Evidence | None:
    """The weighting that a name tells, or None.

    Parameters
    ----------
    name : str
        In lower case.
    what : str
        What has the name, in the reason.
    """
    t1, t2, flair = T1.search(name), T2.search(name), FLAIR.search(name)
    if t1 and not t2:  # a T1 FLAIR is a T1 with an inversion
        return Evidence(Weighting.T1, f'the {what} has "{t1[0]}"')
    if flair:
        return Evidence(Weighting.FLAIR, f'the {what} has "{flair[0]}"')
    if t2 and not t1:
        return Evidence(Weighting.T2, f'the {what} has "{t2[0]}"')
    return None


def weighting_by_times(acquisition: Acquisition) -> Evidence | None:
    """The weighting that repetition, echo and inversion time tell, or None."""
    tr, te = acquisition.repetition_time, acquisition.echo_time
    ti = acquisition.inversion_time or 0.0
    if tr is None or te is None:
        return None
    weighting = _by_times(tr, te, ti, is_gradient_echo="GR" in acquisition.techniques)
    if weighting is None:
        return None
    times = f"TR {tr:.0f}, TE {te:.3g}" + (f", TI {ti:.0f} ms" if ti else " ms")
    return Evidence(weighting, _sentence(weighting, times))


def _by_times(tr: float, te: float, ti: float, *, is_gradient_echo: bool) -> Weighting | None:
    if ti >= 1500 and te >= 60:
        return Weighting.FLAIR
    if ti and te <= 30:
        return Weighting.T1
    if 0 < ti < 1500 and te > 30:  # fat is suppressed, as by STIR, or grey or white matter
        return None
    if is_gradient_echo and te > 12:
        return Weighting.T2_STAR
    if tr >= 2000 and te >= 60:
        return Weighting.T2
    if tr >= 2000 and te < 45 and not is_gradient_echo and not ti:
        return Weighting.PROTON_DENSITY
    if te <= 30 and tr < 1500:
        return Weighting.T1
    return None


def _sentence(weighting: Weighting, times: str) -> str:
    match weighting:
        case Weighting.FLAIR:
            return f"{times}: fluid is suppressed"
        case Weighting.T2_STAR:
            return f"a gradient echo with {times} is susceptibility-weighted"
        case Weighting.PROTON_DENSITY:
            return f"{times}: proton density"
        case _:
            return times
