"""The label scheme of a file, and what tells it.

The first of these decides:

1. the user, who names it, or the folder of a cohort, whose masks share one;
2. the header of the file, as this program writes it;
3. the names of its segments, as 3D Slicer writes them;
4. its name, if it is that of a mask of ET;
5. its values, with the scheme that goes with the names of its neighbours, if they fit several.

A scheme of the header that is overruled, and in which the values mean something else, is told: see
`FoundScheme.contradiction`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from smalltumor.data.naming.export_names import named_region
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import Action, LabelError, Remedy
from smalltumor.labels.regions import REGION_NAMES, Region
from smalltumor.labels.schemes import (
    READ_SCHEMES,
    LabelScheme,
    detect_scheme,
    integer_values,
    scheme_of_header,
)
from smalltumor.labels.segments import check_names, scheme_of_segments


class SchemeSource(StrEnum):
    """What tells the label scheme of a file."""

    NAMED = "as named for it"
    HEADER = "from its header"
    SEGMENTS = "from its segments"
    FILE_NAME = "from its name"
    NEIGHBOURS = "from the names of the files"
    VALUES = "from its values"


@dataclass(frozen=True)
class FoundScheme:
    """The label scheme of a file.

    Parameters
    ----------
    scheme : LabelScheme
    source : SchemeSource
    path : Path
        The file.
    overruled : str
        Name of the scheme in its header, if the values mean something else in it; else empty.
    """

    scheme: LabelScheme
    source: SchemeSource
    path: Path
    overruled: str = ""

    @property
    def contradiction(self) -> str:
        """That the header names another scheme; else empty."""
        return contradiction_text([self.path.name], self.overruled, self.scheme.name)


def contradiction_text(names: Sequence[str], overruled: str, used: str) -> str:
    """That the headers of some files name another scheme; empty if `overruled` is."""
    if not overruled:
        return ""
    if len(names) == 1:
        return f"the header of {names[0]} names {overruled}, but it was read as {used}"
    return f"the headers of {', '.join(names)} name {overruled}, but they were read as {used}"


def find_scheme(
    volume: Volume, named: str | LabelScheme | None = None, hint: str | None = None
) -> FoundScheme:
    """Find the label scheme of a file.

    Parameters
    ----------
    volume : Volume
        A label volume.
    named : str or LabelScheme, optional
        The scheme, or its name, that was named for the file.
    hint : str, optional
        Name of the scheme that goes with the names of the files.

    Raises
    ------
    LabelError
        As `detect_scheme` and `scheme_of_segments`, without the name of the file; if the file is
        named as the mask of TC or WT; or if the names of segments contradict the scheme.
    """
    values = integer_values(volume.data)
    if named:
        scheme = READ_SCHEMES[named] if isinstance(named, str) else named
        return _found(volume, values, scheme, SchemeSource.NAMED)
    own = own_scheme(volume, values)
    if own is not None:
        return own
    scheme = detect_scheme(values, hint)
    check_names(volume.segments, values, scheme)
    source = SchemeSource.VALUES if _tell_alone(values) else SchemeSource.NEIGHBOURS
    return _found(volume, values, scheme, source)


def own_scheme(volume: Volume, values: Collection[int]) -> FoundScheme | None:
    """The scheme that a label file itself tells: by its header, its segments or as a mask of ET.

    Parameters
    ----------
    volume : Volume
    values : collection of int
        Its distinct values.

    Raises
    ------
    LabelError
        As `scheme_of_segments`, without the name of the file; or if it is named as the mask of TC
        or WT.
    """
    found = scheme_in_file(volume, values)
    if found is not None:
        return found
    scheme = _scheme_of_region(volume.path, values)
    if scheme is None:
        return None
    return _found(volume, values, scheme, SchemeSource.FILE_NAME)


def scheme_in_file(volume: Volume, values: Collection[int]) -> FoundScheme | None:
    """The scheme that the header or the segments of a file tell."""
    scheme = scheme_in_header(volume, values)
    if scheme is not None:
        return _found(volume, values, scheme, SchemeSource.HEADER)
    scheme = scheme_of_segments(volume.segments, values)
    if scheme is None:
        return None
    return _found(volume, values, scheme, SchemeSource.SEGMENTS)


def scheme_in_header(volume: Volume, values: Collection[int]) -> LabelScheme | None:
    """The scheme that the header of a file names, if it has these values."""
    stored = scheme_of_header(volume.label_scheme, values)
    return stored if stored is not None and set(values) <= set(stored.classes) else None


def region_by_name(path: Path, values: Collection[int]) -> Region | None:
    """The region that a name states, of a mask of one value."""
    return named_region(path) if len(set(values) - {0}) <= 1 else None


def _found(
    volume: Volume, values: Collection[int], scheme: LabelScheme, source: SchemeSource
) -> FoundScheme:
    stored = scheme_of_header(volume.label_scheme, values)
    differs = stored is not None and any(
        stored.classes.get(value) != scheme.classes.get(value) for value in values
    )
    return FoundScheme(scheme, source, volume.path, volume.label_scheme if differs else "")


def _tell_alone(values: Collection[int]) -> bool:
    try:
        detect_scheme(values)
    except LabelError:
        return False
    return True


def _scheme_of_region(path: Path, values: Collection[int]) -> LabelScheme | None:
    """The scheme of a mask of one value that is named after a region; None for other files."""
    region, present = region_by_name(path, values), set(values) - {0}
    if region is None or not present:
        return None
    if region is not Region.ET:
        raise LabelError(
            f"by its name it is the mask of the {REGION_NAMES[region]}, which does not tell the "
            "classes in it",
            Remedy(Action.READ_AS_MASK),
        )
    return LabelScheme("mask of ET", ncr=0, ed=0, et=present.pop())
