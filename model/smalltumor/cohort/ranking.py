"""Which cases of a cohort deserve a look first, for the report and for the worklist."""

from __future__ import annotations

from collections.abc import Iterable

from smalltumor.cohort.results import CaseResult

ORDER = (
    "cases with more warnings first; then those with more second-look spots, with more small "
    "lesions, and with a lower probability of their least certain lesion"
)
"""The order of `ranked`, in words."""


def ranked(results: Iterable[CaseResult]) -> list[CaseResult]:
    """The cases with a mask, in `ORDER`; others by name, and failed ones last."""
    return sorted(results, key=_key)


def _key(result: CaseResult) -> tuple[bool, int, int, int, float, str]:
    lowest = 1.0 if result.lowest_probability is None else result.lowest_probability
    counts = (len(result.warnings), result.count("second look"), result.count("small lesion"))
    return (result.failed, -counts[0], -counts[1], -counts[2], lowest, result.name)


def deserves_look(result: CaseResult) -> bool:
    """Whether a case with a mask has a warning, a second-look spot or a small lesion."""
    return not result.failed and bool(result.warnings or result.spots)


def reasons_of(result: CaseResult) -> list[str]:
    """Why a case deserves a look, without the words of its warnings; empty if nothing is known."""
    counts = (
        (len(result.warnings), "warning"),
        (result.count("second look"), "second-look spot"),
        (result.count("small lesion"), "small lesion"),
    )
    texts = [f"{count} {noun}{'s' if count > 1 else ''}" for count, noun in counts if count]
    if result.lowest_probability is not None:
        texts.append(f"lowest probability {result.lowest_probability:.2f}")
    return texts
