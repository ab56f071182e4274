"""Which of several series of one sequence is taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from smalltumor.scanner.acquisition_time import is_later
from smalltumor.scanner.sequences.classification import Classification
from smalltumor.scanner.series import Series

_OTHER_PARTS = frozenset(
    (
        *("NECK", "CHEST", "ABDOMEN", "PELVIS", "HEART", "LIVER", "BREAST", "PROSTATE"),
        *("SHOULDER", "ELBOW", "WRIST", "HAND", "ARM"),
        *("HIP", "KNEE", "ANKLE", "FOOT", "LEG", "EXTREMITY"),
        *("TMJ", "ORBIT", "PITUITARY", "IAC"),
    )
)
"""Values of DICOM's Body Part Examined that are not the brain."""

MIN_EXTENT_MM = 100.0
"""A series that is shorter along any axis shows a part of the head, such as the orbits."""

_FEW_MISSING = 0.1
"""Largest share of missing slices with which a series ranks as one that lacks none."""


def part_of_head(series: Series) -> str:
    """Why a series may show a part of the head, or none of it; empty if nothing tells so."""
    shortest = min(series.extent)
    if shortest < MIN_EXTENT_MM:
        return f"is only {shortest:.0f} mm long along one axis, as a part of the head is"
    if _is_of_other_part(series):
        return f"is of the part {series.acquisition.body_part} by its header"
    return ""


def preferred(candidates: Sequence[tuple[Series, Classification]]) -> tuple[Series, str]:
    """The best of several series of one sequence by `_CRITERIA`, and why.

    The reason names the first criterion in which the second best series differs.
    """
    ranked = sorted(candidates, key=lambda each: [c.key(*each) for c in _CRITERIA])
    series, found = ranked[0]
    if len(ranked) == 1:
        return series, found.reason
    other, other_found = ranked[1]
    reasons = (
        criterion.reason(series, other)
        for criterion in _CRITERIA
        if criterion.key(series, found) != criterion.key(other, other_found)
    )
    why = next(reasons, "listed first")
    return series, f"{found.reason}; preferred to {other.title}: {why}"


def _is_partial(series: Series) -> bool:
    """Whether so many slices are missing that a part of the head may be."""
    return series.missing_share > _FEW_MISSING


def is_reformatted(series: Series) -> bool:
    """Whether it was computed on other planes than it was acquired on."""
    return bool(series.acquisition.image_type & {"MPR", "REFORMATTED", "CSAMPR"})


def _is_computed(series: Series) -> bool:
    """Whether other images were computed, as a subtraction is; filtered ones are primary."""
    return series.acquisition.image_type >= {"DERIVED", "SECONDARY"}


def _is_of_other_part(series: Series) -> bool:
    """Whether the header names a part of the body without the brain; it may be wrong."""
    part = series.acquisition.body_part
    return part.endswith("SPINE") or part in _OTHER_PARTS


def _is_3d(series: Series) -> bool:
    if series.acquisition.is_3d is not None and series.slice_distance > 2.5:
        return False  # a thick slab
    return series.acquisition.is_3d or series.slice_distance <= 1.5


@dataclass(frozen=True)
class _Criterion:
    """What series are sorted by.

    Parameters
    ----------
    key : callable
        Of a series and its sequence; smaller is better.
    reason : callable
        Of the better series and another one: why the first is better.
    """

    key: Callable[[Series, Classification], float | Decimal]
    reason: Callable[[Series, Series], str]


def _voxel_mm3(series: Series) -> float:
    return series.spacing[0] * series.spacing[1] * series.spacing[2]


def _time(series: Series) -> Decimal:
    """A number that is larger for later times, and 0 for an unknown one."""
    return Decimal(series.acquisition.time or 0)


def _reason_of_time(series: Series, other: Series) -> str:
    later = is_later(series.acquisition.time, other.acquisition.time)
    return "acquired later" if later else "its time of acquisition is more complete"


_CRITERIA = (
    _Criterion(
        lambda series, _: _is_of_other_part(series),
        lambda _, other: f"the header of that one names the part {other.acquisition.body_part}",
    ),
    _Criterion(
        lambda series, _: _is_partial(series), lambda _, other: f"that one has {other.incomplete}"
    ),
    _Criterion(
        lambda series, _: is_reformatted(series),
        lambda _, __: "as acquired rather than reformatted",
    ),
    _Criterion(lambda series, _: not _is_3d(series), lambda _, __: "3D"),
    _Criterion(
        lambda series, _: round(series.slice_distance, 1),
        lambda series, other: (
            f"slices of {round(series.slice_distance, 1):g} instead of "
            f"{round(other.slice_distance, 1):g} mm"
        ),
    ),
    _Criterion(lambda series, _: round(_voxel_mm3(series), 1), lambda _, __: "smaller voxels"),
    _Criterion(
        lambda series, _: bool(series.incomplete),
        lambda _, other: f"that one has {other.incomplete}",
    ),
    _Criterion(
        lambda series, _: _is_computed(series), lambda _, __: "as acquired rather than computed"
    ),
    _Criterion(
        lambda _, found: found.by_order,
        lambda _, __: "its name or header names the contrast agent",
    ),
    # Of equal series the last one is usually a repetition.
    _Criterion(lambda series, _: -_time(series), _reason_of_time),
)
"""The most important one first."""
