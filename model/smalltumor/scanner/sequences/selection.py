"""Which series of a study become T1, T1CE, T2 and FLAIR, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITIES, MODALITY_TITLES, modality_titles
from smalltumor.scanner.sequences.classification import (
    Classification,
    classify,
    says_before_contrast,
)
from smalltumor.scanner.sequences.contrast_order import after_contrast, contrast_agent_warnings
from smalltumor.scanner.sequences.preference import MIN_EXTENT_MM, part_of_head, preferred
from smalltumor.scanner.series import Series

_CHOSEN_BY_USER = "chosen by the user"


class ReasonKind(Enum):
    """How a series came to be used for a modality."""

    RECOGNISED = auto()
    CHOSEN_BY_USER = auto()
    CHOSEN_BY_USER_BUT_DOUBTFUL = auto()


@dataclass(frozen=True)
class Reason:
    """Why a series is used for a modality.

    Parameters
    ----------
    kind : ReasonKind
        Doubtful is a series that the user has chosen and that seems to be another sequence.
    text : str
        Part of a sentence, for the user.
    """

    kind: ReasonKind
    text: str

    @property
    def is_of_user(self) -> bool:
        """Whether the user has chosen the series."""
        return self.kind is not ReasonKind.RECOGNISED


@dataclass(frozen=True)
class Assignment:
    """The series of a study and their sequences.

    Parameters
    ----------
    classified : tuple of (Series, Classification)
        All series of the study.
    chosen : mapping of str to Series
        By modality; modalities without a series are absent.
    reasons : mapping of str to Reason
        Why each was chosen, by modality.
    undecided : tuple of str
        Sentences about what could not be decided.
    """

    classified: tuple[tuple[Series, Classification], ...]
    chosen: Mapping[str, Series] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    undecided: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about series that may be other ones, and about incomplete ones."""
        return (
            *self.contrast_warnings,
            *(
                f"{MODALITY_TITLES[modality]}: {series.title} {part}; look at it"
                for modality, series in self.chosen.items()
                if (part := part_of_head(series))
            ),
            *(
                f"{MODALITY_TITLES[modality]}: {series.title} was {self.reasons[modality].text}"
                for modality, series in self.chosen.items()
                if self.reasons[modality].kind is ReasonKind.CHOSEN_BY_USER_BUT_DOUBTFUL
            ),
            *(
                f"{MODALITY_TITLES[modality]}: {series.title} has {series.incomplete}; look at it, "
                "and copy the study again if it was not transferred completely"
                for modality, series in self.chosen.items()
                if series.incomplete
            ),
        )

    @property
    def contrast_warnings(self) -> tuple[str, ...]:
        """Sentences about whether T1 and T1CE show the contrast agent."""
        by_user = [m for m in self.chosen if self.reasons[m].is_of_user]
        return tuple(contrast_agent_warnings(self.classified, self.chosen, by_user))

    def described(self) -> list[DescribedSeries]:
        """All series of the study with what each is used for, and why."""
        used = {id(series): modality for modality, series in self.chosen.items()}
        return [self._describe(s, c, used.get(id(s))) for s, c in self.classified]

    def _describe(
        self, series: Series, found: Classification, modality: str | None
    ) -> DescribedSeries:
        if modality is not None:
            part = f"; {series.incomplete}" if series.incomplete else ""
            return DescribedSeries(series, modality, self.reasons[modality].text + part)
        reason, sequence = found.reason, found.sequence
        if series.problem and (sequence is not None or found.undecided):
            reason = series.problem
        elif sequence is not None and sequence in self.chosen:
            reason = f"another {MODALITY_TITLES[sequence]}: {reason}"
        return DescribedSeries(series, None, reason)


@dataclass(frozen=True)
class DescribedSeries:
    """A series and what it is used for.

    Parameters
    ----------
    series : Series
    modality : str, optional
        None if it is not used.
    reason : str
        Why it is used for this modality, or not used.
    """

    series: Series
    modality: str | None
    reason: str


def assign(series: Sequence[Series], given: Mapping[str, Series] | None = None) -> Assignment:
    """Choose a series for each sequence.

    Of several candidates, `preferred` chooses; a part of the head counts only without a whole one.

    Parameters
    ----------
    series : sequence of Series
        Of one study.
    given : mapping of str to Series, optional
        Series that the user has assigned; they are not ranked, and not used for another sequence.

    Returns
    -------
    Assignment
    """
    given = given or {}
    named = _without_field_maps([(s, classify(s.acquisition)) for s in series])
    classified = after_contrast(named)
    chosen, reasons = dict(given), reasons_of_user(given, classified)
    taken = list(given.values())
    for modality in (m for m in MODALITIES if m not in given):
        candidates = [
            (s, c)
            for s, c in classified
            if c.sequence == modality and not s.problem and s not in taken
        ]
        whole = [each for each in candidates if min(each[0].extent) >= MIN_EXTENT_MM]
        if whole or candidates:
            chosen[modality], text = preferred(whole or candidates)
            reasons[modality] = Reason(ReasonKind.RECOGNISED, text)
    undecided = _undecided(classified, chosen)
    return Assignment(tuple(classified), chosen, reasons, tuple(undecided))


def reasons_of_user(
    given: Mapping[str, Series], study: Sequence[tuple[Series, Classification]]
) -> dict[str, Reason]:
    """Reasons for series that the user named, and what they seem to be if that is another sequence.

    A series that is named T1 may be the T1CE, unless another one is named T1CE.

    Parameters
    ----------
    given : mapping of str to Series
        By modality.
    study : sequence of (Series, Classification)
        The series of the study, of which they usually are.
    """

    def classified(series: Series) -> Classification:
        known = (found for each, found in study if each is series)
        return next(known, None) or classify(series.acquisition)

    every = [*(found for _, found in study), *map(classified, given.values())]
    after = any(found.sequence == "t1ce" for found in every)

    def reason(modality: str, series: Series) -> Reason:
        found = classified(series)
        sure = after or says_before_contrast(series.acquisition)
        is_possible = (found.sequence, modality) == ("t1", "t1ce") and not sure
        if found.sequence == modality or is_possible or found.undecided:
            return Reason(ReasonKind.CHOSEN_BY_USER, _CHOSEN_BY_USER)
        title = MODALITY_TITLES[found.sequence] if found.sequence else "another image"
        text = f"{_CHOSEN_BY_USER}, but seems to be {title}: {found.reason}"
        return Reason(ReasonKind.CHOSEN_BY_USER_BUT_DOUBTFUL, text)

    return {modality: reason(modality, series) for modality, series in given.items()}


def _without_field_maps(
    classified: Sequence[tuple[Series, Classification]],
) -> list[tuple[Series, Classification]]:
    """Leave undecided what is T1 by its times alone, if the series has several echoes."""
    echoes: dict[str, set[float | None]] = defaultdict(set)
    for series, _ in classified:
        echoes[series.uid].add(series.acquisition.echo_time)
    result = []
    for series, found in classified:
        several = bool(series.uid) and len(echoes[series.uid]) > 1
        if several and found.by_times and found.sequence in ("t1", "t1ce"):
            reason = f"{found.reason}, but it has several echoes, as field maps have"
            found = replace(found, sequence=None, undecided=True, reason=reason)
        result.append((series, found))
    return result


def _undecided(
    classified: Sequence[tuple[Series, Classification]], chosen: Mapping[str, Series]
) -> list[str]:
    missing = [m for m in MODALITIES if m not in chosen]
    sentences, absent = [], []
    plain = [s.title for s, c in classified if c.sequence == "t1" and not s.problem]
    for modality in missing:
        title = MODALITY_TITLES[modality]
        broken = [f"{s.title} ({s.problem})" for s, c in classified if c.sequence == modality]
        if broken:
            sentences.append(f"{title} cannot be used: {', '.join(broken)}")
        elif modality == REFERENCE and len(plain) > 1:
            which = f"it is not known which of {', '.join(plain)} has contrast agent"
            sentences.append(f"no series is {title}; {which}")
        elif modality == "t1" and (enhanced := _several_enhanced(classified)):
            sentences.append(f"no series is {title}; with contrast agent are {enhanced}")
        else:
            absent.append(modality)
    if absent:
        sentences.append(f"no series is {modality_titles(absent, 'or')}")
    unclear = [s.title for s, c in classified if c.undecided and s not in chosen.values()]
    if missing and unclear:
        sentences.append(f"not recognised: {', '.join(unclear)}")
    return sentences


def _several_enhanced(classified: Sequence[tuple[Series, Classification]]) -> str:
    """The series that count as T1CE, of which one may be T1; empty if there is one at most."""
    titles = [s.title for s, c in classified if c.sequence == REFERENCE and not s.problem]
    return ", ".join(titles) if len(titles) > 1 else ""
