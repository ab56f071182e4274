"""Masks that hold the work of people, which a result of a network is not to replace."""

from __future__ import annotations

from pathlib import Path

from smalltumor.data.made_by import has_recorded_labels, recorded_made_by
from smalltumor.data.volumes.nifti import read_nifti
from smalltumor.errors import CaseError, SmalltumorError


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


def was_changed(path: Path) -> bool:
    """Whether a mask holds other labels than this program wrote, as one that was not saved by it.

    A file that is missing, or cannot be read, holds none.
    """
    try:
        return not has_recorded_labels(read_nifti(path))
    except SmalltumorError:
        return False


def check_not_corrected(path: Path, *, is_result: bool = False) -> None:
    """Check that a mask may be replaced by a new result; parameters as for `was_corrected`.

    Raises
    ------
    CaseError
        If it was corrected.
    """
    if was_corrected(path, is_result=is_result):
        raise CaseError(
            f"{path} was edited since it was segmented, and is not replaced; move or delete it, or "
            "choose another output"
        )
