"""What is kept of a case whose folder was renamed or moved, recognised by its voxels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from psygnal import Signal, SignalInstance
from smalltumor.data.case import Case
from smalltumor.data.images_read import ImageRead, read_image
from smalltumor.errors import OutputError, SmalltumorError

from napari_smalltumor.case_data.digests import checksums
from napari_smalltumor.case_data.kept_files import kept_file, kept_file_of
from napari_smalltumor.case_data.records import (
    CaseRecord,
    case_key,
    record_case,
    records_of_images,
)

REVIEWED = ("decisions", "accepted")
"""Folders of what a user has decided on lesions."""

_TAKEN_OVER = (*REVIEWED, "exports")


class _Events:
    taken_over = Signal(Case)


taken_over: SignalInstance = _Events().taken_over
"""Emitted with a case when something is kept of it that was kept of another."""


def moved_cases(case: Case) -> list[CaseRecord]:
    """Cases that had the images of a case at another place, where they are no longer.

    A copy whose original is still there is no moved case: both have their own edits, as those of
    two readers.
    """
    key, own = case_key(case), checksums(case)
    others = {record.key: record for record in records_of_images(case) if record.key != key}
    return [record for record in others.values() if not _holds(record.images, own)]


def has_review(record: CaseRecord, case: Case) -> bool:
    """Whether decisions on lesions of another case were kept, and none of this one."""
    return any(
        kept_file_of(folder, record).exists() and not kept_file(folder, case).exists()
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
        if before.exists() and not now.exists():
            _move(before, now)
    taken_over.emit(case)


def _move(before: Path, now: Path) -> None:
    try:
        before.replace(now)
    except OSError as error:
        raise OutputError(f"{before} cannot be moved: {error.strerror or error}") from error


def _holds(images: Mapping[str, Path], own: Mapping[str, int]) -> bool:
    """Whether files hold the images with these checksums."""
    try:
        return all(ImageRead(read_image(path)).checksum == own[n] for n, path in images.items())
    except (SmalltumorError, KeyError):
        return False
