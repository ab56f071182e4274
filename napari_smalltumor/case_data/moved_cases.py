"""What is kept of a case whose folder was renamed or moved, recognised by its voxels."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from psygnal import Signal, SignalInstance
from smalltumor.data.case import Case
from smalltumor.data.loaded_images import LoadedImage, read_image
from smalltumor.errors import OutputError, SmalltumorError
from smalltumor.files.existence import is_absent

from napari_smalltumor.case_data.digests import checksums, digest_of_images
from napari_smalltumor.case_data.kept_files import kept_file, kept_file_of
from napari_smalltumor.case_data.records import (
    CaseRecord,
    case_key,
    is_recorded,
    record_case,
    records_of_images,
)

REVIEWED = ("decisions", "accepted")
"""Folders of what a user has decided on lesions."""

_TAKEN_OVER = (*REVIEWED, "exports")


class Place(Enum):
    """Whether images are where they were."""

    HELD = "held"
    LEFT = "left"
    UNREADABLE = "unreadable"


class _Events:
    taken_over = Signal(Case)


taken_over: SignalInstance = _Events().taken_over
"""Emitted with a case when something is kept of it that was kept of another."""


def moved_cases(case: Case) -> list[CaseRecord]:
    """Cases that had the images of a case at another place, where they certainly are no longer.

    A copy whose original is still there, even if it was corrected since, is no moved case: both
    have their own edits, as those of two readers. Nor is a case of labels alone, which may be equal
    to another patient's.
    """
    return _others(case, Place.LEFT)


def unreadable_cases(case: Case) -> list[CaseRecord]:
    """Cases that had the images of a case at another place, where they cannot be read now."""
    return _others(case, Place.UNREADABLE)


def _others(case: Case, place: Place) -> list[CaseRecord]:
    key, own = case_key(case), checksums(case)
    others = {record.key: record for record in records_of_images(case) if record.key != key}
    return [record for record in others.values() if _place_of(record, own) == place]


def has_review(record: CaseRecord, case: Case) -> bool:
    """Whether decisions on lesions of another case were kept, and none of this one."""
    return any(
        kept_file_of(folder, record).exists() and is_absent(kept_file(folder, case))
        for folder in REVIEWED
    )


def take_over(record: CaseRecord, case: Case) -> None:
    """Keep for a case what was kept of another one, except for its edits and what it has already.

    Each file is moved at once; if the program ends between two of them, the rest is offered again.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    record_case(case)
    for folder in _TAKEN_OVER:
        before, now = kept_file_of(folder, record), kept_file(folder, case)
        if not is_absent(before) and is_absent(now):
            _move(before, now)
    taken_over.emit(case)


def _move(before: Path, now: Path) -> None:
    try:
        before.replace(now)
    except OSError as error:
        raise OutputError(f"{before} cannot be moved: {error.strerror or error}") from error


def _place_of(record: CaseRecord, own: Mapping[str, int]) -> Place:
    """Whether the images of a case are where they were, perhaps corrected.

    Parameters
    ----------
    record : CaseRecord
    own : mapping of str to int
        Checksums of its images as they were.
    """
    if any(map(_is_missing, record.images.values())):
        return Place.LEFT
    try:
        read = {n: read_image(path, allow_nonfinite=True) for n, path in record.images.items()}
    except SmalltumorError:
        return Place.UNREADABLE
    now = {name: LoadedImage(volume).checksum for name, volume in read.items()}
    grid = next(iter(read.values())).grid
    is_there = now == own or is_recorded(record, digest_of_images(grid, now))
    return Place.HELD if is_there else Place.LEFT


def _is_missing(path: Path) -> bool:
    """Whether there certainly is no such file; its folder may be locked, or its drive fail."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
