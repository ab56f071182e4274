"""Masks that hold the work of people, which a result of a network is not to replace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from smalltumor.data.made_by import recorded_made_by
from smalltumor.data.volumes.nifti import read_nifti
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.text import list_text


def was_corrected(path: Path, *, is_result: bool = False) -> bool:
    """Whether a mask was edited since a network gave it; its file may have been saved since.

    Parameters
    ----------
    path : Path
        A file that is missing, or cannot be read, holds no work.
    is_result : bool
        The file was written as a result of a network. If it records nothing any more, another
        program has written it since.
    """
    try:
        made_by = recorded_made_by(read_nifti(path))
    except SmalltumorError:
        return False
    return is_result if made_by is None else not made_by.is_unedited


def check_not_corrected(paths: Iterable[Path]) -> None:
    """Check that masks in the place of results of a network may be replaced by new ones.

    Raises
    ------
    CaseError
        If some were corrected, all of which are named.
    """
    corrected = [path for path in paths if was_corrected(path, is_result=True)]
    if corrected:
        raise corrected_error(corrected)


def corrected_error(paths: Sequence[Path]) -> CaseError:
    """The error that masks which were corrected would be replaced."""
    it, was, is_ = ("it", "was", "is") if len(paths) == 1 else ("they", "were", "are")
    them = "it" if len(paths) == 1 else "them"
    return CaseError(
        f"{list_text(map(str, paths))} {was} edited, or saved by another program, since {it} {was} "
        f"segmented, and {is_} not replaced; move or delete {them}, or choose another output"
    )
