"""Which of several series of one sequence is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from smalltumor.scanner.acquisition_time import is_later
from smalltumor.scanner.sequences import Classification
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

SHORTEST_EXTENT_MM = 100.0
"""A series that is shorter along any axis shows a part of the head, such as the orbits."""

_EQUALLY_FINE = 1.1
"""Ratio of the distances of slices up to which two series are equally fine."""

_FEW_MISSING = 0.1
"""Largest share of missing slices with which a series ranks as one that lacks none."""


def part_of_head(series: Series) -> str:
    """Why a series may show a part of the head, or none of it; empty if nothing tells so."""
    shortest = min(series.extent)
    if shortest < SHORTEST_EXTENT_MM:
        return f"is only {shortest:.0f} mm long along one axis, as a part of the head is"
    if _is_of_other_part(series):
        return f"is of the part {series.acquisition.body_part} by its header"
    return ""


def preferred(candidates: Sequence[tuple[Series, Classification]]) -> tuple[Series, str]:
    """The best of several series of one sequence, and why.

    The head goes before another part of the body, a series with few or no slices missing before one
    that lacks more, 3D before 2D, fine slices and small voxels before others, complete before
    incomplete, as acquired before computed, and of equal ones the last, which is usually a
    repetition.
    """
    ranked = sorted(candidates, key=lambda each: _rank(*each))
    series, found = ranked[0]
    if len(ranked) == 1:
        return series, found.reason
    other, other_found = ranked[1]
    why = _advantage(series, other)
    if why is None:
        named = other_found.by_order and not found.by_order
        why = "its name or header names the contrast agent" if named else _later(series, other)
    return series, f"{found.reason}; preferred to {other.title}: {why}"


class _Rank(NamedTuple):
    """What series are sorted by, the most important first; smaller is better."""

    is_of_other_part: bool
    is_partial: bool
    is_reformatted: bool
    is_2d: bool
    slice_distance_mm: float
    voxel_mm3: float
    is_incomplete: bool
    is_computed: bool
    is_by_order: bool
    time_backwards: tuple[int, ...]


def _rank(series: Series, found: Classification) -> _Rank:
    return _Rank(
        is_of_other_part=_is_of_other_part(series),
        is_partial=_is_partial(series),
        is_reformatted=is_reformatted(series),
        is_2d=not _is_3d(series),
        slice_distance_mm=round(series.slice_distance, 1),
        voxel_mm3=round(series.spacing[0] * series.spacing[1] * series.spacing[2], 1),
        is_incomplete=bool(series.incomplete),
        is_computed=_is_computed(series),
        is_by_order=found.by_order,
        time_backwards=tuple(-ord(c) for c in series.acquisition.time),
    )


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


def _advantage(series: Series, other: Series) -> str | None:
    """What a series has by its images and another one lacks; None if they are alike."""
    if _is_of_other_part(other) and not _is_of_other_part(series):
        return f"the header of that one names the part {other.acquisition.body_part}"
    if _is_partial(other) and not _is_partial(series):
        return f"that one has {other.incomplete}"
    if is_reformatted(other) and not is_reformatted(series):
        return "as acquired rather than reformatted"
    if _is_3d(series) and not _is_3d(other):
        return "3D"
    if other.slice_distance > _EQUALLY_FINE * series.slice_distance:
        return f"slices of {series.slice_distance:.3g} instead of {other.slice_distance:.3g} mm"
    if other.incomplete and not series.incomplete:
        return f"that one has {other.incomplete}"
    if _is_computed(other) and not _is_computed(series):
        return "as acquired rather than computed"
    return None


def _later(series: Series, other: Series) -> str:
    later = is_later(series.acquisition.time, other.acquisition.time)
    return "acquired later" if later else "smaller voxels or listed first"
