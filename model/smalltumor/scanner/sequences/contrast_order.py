"""Which T1 of a study show a contrast agent by their order, and what is doubtful of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.scanner.acquisition_time import is_later
from smalltumor.scanner.sequences.classification import (
    Classification,
    is_by_header_alone,
    says_before_contrast,
)
from smalltumor.scanner.sequences.preference import is_reformatted
from smalltumor.scanner.series import Series

Classified = Sequence[tuple[Series, Classification]]


def after_contrast(classified: Classified) -> list[tuple[Series, Classification]]:
    """Count a T1 that was acquired after a T1CE of the study as T1CE, unless its name objects."""
    enhanced = [series for series, found in classified if found.sequence == REFERENCE]
    result = []
    for series, found in classified:
        late = found.sequence == "t1" and any(_is_later(series, other) for other in enhanced)
        if late and not says_before_contrast(series.acquisition):
            reason = f"{found.reason}, but it was acquired after a series with contrast agent"
            found = replace(found, sequence=REFERENCE, reason=reason, by_order=True)
        result.append((series, found))
    return result


def contrast_agent_warnings(
    classified: Classified, chosen: Mapping[str, Series], by_user: Collection[str]
) -> Iterator[str]:
    """Sentences about a T1 that may show the agent, and a T1CE that may not.

    Parameters
    ----------
    classified : sequence of (Series, Classification)
        The series of the study.
    chosen : mapping of str to Series
        By modality.
    by_user : collection of str
        The modalities whose series the user named.
    """
    if "t1" in chosen and REFERENCE in chosen and "t1" not in by_user:
        yield from _t1_warnings(classified, chosen["t1"], chosen[REFERENCE])
    if "t1" not in chosen and REFERENCE in chosen and REFERENCE not in by_user:
        yield from _t1ce_warnings(classified)


def _t1_warnings(classified: Classified, chosen: Series, enhanced: Series) -> Iterator[str]:
    """That one of several T1 is used, and neither its name nor a time tells that it was before."""
    plain = [s for s, found in classified if found.sequence == "t1" and s is not enhanced]
    usable = [series for series in plain if _is_acquired(series)]
    told = says_before_contrast(chosen.acquisition) or _is_later(enhanced, chosen)
    if len(usable) > 1 and not told:
        others = ", ".join(series.title for series in usable if series is not chosen)
        yield (
            f"{MODALITY_TITLES['t1']}: neither name nor time tells that {chosen.title} was "
            f"acquired before contrast agent; other T1: {others}; look at it"
        )


def _t1ce_warnings(classified: Classified) -> Iterator[str]:
    """That the headers name an agent in each T1, as if it had been entered for the whole study."""
    enhanced = [s for s, found in classified if found.sequence == REFERENCE and _is_acquired(s)]
    if len(enhanced) > 1 and all(is_by_header_alone(series.acquisition) for series in enhanced):
        titles = ", ".join(series.title for series in enhanced)
        yield (
            f"{MODALITY_TITLES[REFERENCE]}: the headers name a contrast agent in each of {titles}; "
            "one of them may have been acquired before it; look at them"
        )


def _is_acquired(series: Series) -> bool:
    """Whether a series can be used and is no reformatted one."""
    return not series.problem and not is_reformatted(series)


def _is_later(series: Series, other: Series) -> bool:
    return is_later(series.acquisition.time, other.acquisition.time) or False
