"""Which sequence a series is: T1, T1CE, T2 or FLAIR, from its names, its times, and the reason."""

from __future__ import annotations

from dataclasses import dataclass

from smalltumor.data.naming.contrast_agent import ContrastAgent, agent_of_text, names_agent
from smalltumor.scanner.sequences.unsupported_series import unsupported_name, unsupported_series
from smalltumor.scanner.sequences.weighting import (
    Evidence,
    Weighting,
    weighting_by_name,
    weighting_by_times,
)
from smalltumor.scanner.series import Acquisition

_OF_A_CASE = frozenset((Weighting.T1, Weighting.T2, Weighting.FLAIR))


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
    text, protocol, folder = (
        name.lower() for name in (acquisition.text, acquisition.protocol, acquisition.folder)
    )
    if other := unsupported_series(text, acquisition):
        return Classification(None, other)
    named = weighting_by_name(text) or weighting_by_name(protocol)
    if named is None:
        if other := unsupported_name(folder, "folder"):
            return Classification(None, other)
        named = weighting_by_name(folder, "folder")
    return _by_evidence(named, weighting_by_times(acquisition), acquisition)


def says_before_contrast(acquisition: Acquisition) -> bool:
    """Whether the name says that no contrast agent had been given."""
    return agent_of_text(acquisition.text).agent is ContrastAgent.NOT_GIVEN


def is_by_header_alone(acquisition: Acquisition) -> bool:
    """Whether only the header says that contrast agent was given; some give it to a whole study."""
    named = agent_of_text(acquisition.text).agent is not ContrastAgent.UNKNOWN
    return names_agent(acquisition.contrast_agent) and not named


def _by_evidence(
    named: Evidence | None, timed: Evidence | None, acquisition: Acquisition
) -> Classification:
    """The sequence by what names and times tell."""
    if named and timed:
        weightings = named.weighting, timed.weighting
        if weightings == (Weighting.T2, Weighting.FLAIR):  # a FLAIR is weighted by T2, too
            named = None
        elif weightings == (Weighting.T2, Weighting.PROTON_DENSITY):
            return Classification(None, f"{timed.reason}, although {named.reason}")
        elif _OF_A_CASE.issuperset(weightings) and weightings.count(Weighting.T1) == 1:
            return Classification(None, f"{named.reason}, but {timed.reason}", undecided=True)
    found = named or timed
    if found is None:
        return Classification(None, "neither name nor times show the sequence", undecided=True)
    if found.weighting not in _OF_A_CASE:
        return Classification(None, found.reason)
    reason = ", ".join(evidence.reason for evidence in (named, timed) if evidence)
    sequence = found.weighting.value
    if found.weighting is Weighting.T1:
        sequence, agent_reason = _t1_or_t1ce(acquisition)
        reason = f"{reason}; {agent_reason}"
    return Classification(sequence, reason, by_times=named is None)


def _t1_or_t1ce(acquisition: Acquisition) -> tuple[str, str]:
    """Which of the two a T1 is, and why."""
    named = agent_of_text(acquisition.text)
    agent = acquisition.contrast_agent
    has_agent = names_agent(agent)
    if named.agent is ContrastAgent.NOT_GIVEN:
        contradiction = f", although the header names the agent {agent}" if has_agent else ""
        return "t1", f'before contrast agent: the name has "{named.words}"{contradiction}'
    if has_agent:
        return "t1ce", f"with contrast agent: the header names {agent}"
    if named.agent is ContrastAgent.GIVEN:
        return "t1ce", f'with contrast agent: the name has "{named.words}"'
    folder = agent_of_text(acquisition.folder)
    if folder.agent is ContrastAgent.GIVEN:
        return "t1ce", f'with contrast agent: the folder has "{folder.words}"'
    return "t1", "nothing says that contrast agent was given"
