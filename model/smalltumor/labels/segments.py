"""Segments of a label file that name themselves, as those of 3D Slicer: the scheme they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from smalltumor.errors import Action, LabelError, Remedy
from smalltumor.labels.regions import CLASS_NAMES, REGION_NAMES, Region, TissueClass
from smalltumor.labels.schemes import LabelScheme
from smalltumor.labels.segment_names import Meaning, meaning_of_name

SCHEME_NAME = "segment names"
"""Name of a scheme that the segments of a file make."""

_REST: Mapping[Meaning, Meaning] = {Region.TC: TissueClass.NCR, Region.WT: TissueClass.ED}
"""What is left of a region beside the segments of those within."""


@dataclass(frozen=True)
class Segment:
    """A segment as the header of its file describes it.

    Parameters
    ----------
    name : str
    value : int
        The stored value of its voxels.
    layer : int
        Along the fourth axis of a file whose segments overlap.
    terminology : str
        What a standard terminology calls it, such as ``Necrosis``; may be empty.
    """

    name: str
    value: int
    layer: int = 0
    terminology: str = ""

    @property
    def meaning(self) -> Meaning | None:
        """What the name says, or the terminology if the name says nothing; None if unknown.

        Raises
        ------
        LabelError
            If both are known and differ.
        """
        by_name, by_terminology = map(meaning_of_name, (self.name, self.terminology))
        if None not in (by_name, by_terminology) and by_name != by_terminology:
            raise LabelError(
                f'the segment "{self.name}" is {self.terminology} by its terminology',
                Remedy(Action.NAME_SCHEME),
            )
        return by_terminology if by_name is None else by_name


def scheme_of_segments(segments: Sequence[Segment], values: Iterable[int]) -> LabelScheme | None:
    """The label scheme that the names of segments make.

    Segments of one layer do not overlap: what is stored as TC is TC without ET, and so necrosis or
    non-enhancing core, if ET is a segment, too; what is stored as WT is edema, if ET and TC are.

    Parameters
    ----------
    segments : sequence of Segment
        Of one layer.
    values : iterable of int
        Distinct values of the file, as from `smalltumor.labels.schemes.integer_values`.

    Returns
    -------
    LabelScheme or None
        Of the name `SCHEME_NAME`; None if a value has no segment whose name is known.

    Raises
    ------
    LabelError
        If a segment is a region whose classes are not told apart, or two segments of one value
        have two meanings.
    """
    present = set(values) - {0}
    meanings = _meanings(segments)
    if not meanings or any(meanings.get(value) is None for value in present):
        return None
    if not present and None in meanings.values():
        return None
    all_meanings = set(meanings.values())
    classes = {v: _class_of(m, all_meanings) for v, m in meanings.items() if m is not None}
    for value in sorted(present):
        if classes[value] is None:
            raise _region_alone_error(next(s for s in segments if s.value == value))
    return _scheme({value: tissue for value, tissue in classes.items() if tissue is not None})


def region_of_segments(segments: Sequence[Segment], values: Iterable[int]) -> Region | None:
    """The region of a mask whose only segment is named after one; else None."""
    present = set(values) - {0}
    meanings = {s.meaning for s in segments if s.value in present}
    meaning = meanings.pop() if len(present) == len(meanings) == 1 else None
    if meaning is TissueClass.ET and len(segments) == 1:
        return Region.ET
    return meaning if isinstance(meaning, Region) else None


def check_names(segments: Sequence[Segment], values: Iterable[int], scheme: LabelScheme) -> None:
    """Check that a scheme that was found otherwise agrees with the segments whose names are known.

    Raises
    ------
    LabelError
        That names a segment and what its value is in the scheme.
    """
    present = set(values)
    for segment in segments:
        tissue, meaning = scheme.classes.get(segment.value), segment.meaning
        if segment.value not in present or meaning is None or tissue is None:
            continue
        if _REST.get(meaning, meaning) != tissue:
            raise LabelError(
                f'the segment "{segment.name}" has the value {segment.value}, which is '
                f"{CLASS_NAMES[tissue]} in the scheme {scheme.name}",
                Remedy(Action.NAME_SCHEME),
            )


def _meanings(segments: Iterable[Segment]) -> dict[int, Meaning | None]:
    meaning_of_value: dict[int, Meaning | None] = {}
    for segment in segments:
        if meaning_of_value.setdefault(segment.value, segment.meaning) != segment.meaning:
            raise LabelError(
                f"two segments have the value {segment.value}", Remedy(Action.NAME_SCHEME)
            )
    return meaning_of_value


def _class_of(meaning: Meaning, meanings: set[Meaning | None]) -> TissueClass | None:
    """The class of a segment that is not part of another; None if it may have several."""
    if isinstance(meaning, TissueClass):
        return meaning
    if TissueClass.ET not in meanings:
        return None
    if meaning is Region.TC:
        return TissueClass.NCR
    has_edema, has_core = TissueClass.ED in meanings, meanings & {Region.TC, TissueClass.NCR}
    return TissueClass.ED if has_core and not has_edema else None


def _region_alone_error(segment: Segment) -> LabelError:
    meaning = segment.meaning
    region = REGION_NAMES[meaning] if isinstance(meaning, Region) else ""
    return LabelError(
        f'the segment "{segment.name}" is the {region}, and no other segments tell which classes '
        "it consists of",
        Remedy(Action.READ_AS_MASK),
    )


def _scheme(classes: Mapping[int, TissueClass]) -> LabelScheme:
    first = {tissue: value for value, tissue in sorted(classes.items(), reverse=True)}
    ncr, ed, et = (first.get(t, 0) for t in (TissueClass.NCR, TissueClass.ED, TissueClass.ET))
    others = {value: tissue for value, tissue in classes.items() if value not in (ncr, ed, et)}
    return LabelScheme(SCHEME_NAME, ncr=ncr, ed=ed, et=et, others=others)
