"""What masks hold that an export would replace: of which images they are, and who made them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import recorded_images, recorded_images_text
from smalltumor.data.made_by import recorded_made_by
from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.data.volumes.nifti import Volume, is_nifti_name
from smalltumor.errors import SmalltumorError


def note_on_replaced(paths: Iterable[Path], case: Case, title: str = "", unknown: str = "") -> str:
    """What is said of masks before they are replaced by those of a case.

    Parameters
    ----------
    paths : iterable of Path
        Files that exist; those of masks are looked at.
    case : Case
    title : str
        The case's title.
    unknown : str
        What is said if a mask does not record its images.

    Returns
    -------
    str
        Empty if they were made of the images of the case.
    """
    volumes = [_read(path) for path in paths if is_nifti_name(path)]
    read = [volume for volume in volumes if volume is not None]
    text = recorded_images_text(read, case, title)
    if text:
        return f"{text}."
    is_known = len(read) == len(volumes) and all(map(recorded_images, read))
    return "" if is_known else unknown


def holds_corrections(path: Path) -> bool:
    """Whether a file that exists may hold a mask that people have edited or drawn."""
    volume = _read(path) if is_nifti_name(path) else None
    made_by = None if volume is None else recorded_made_by(volume)
    return made_by is None or not made_by.is_unedited


def origin_text(path: Path) -> str:
    """What made the mask in a file; empty of other files, and if it is not known."""
    volume = _read(path) if is_nifti_name(path) else None
    made_by = None if volume is None else recorded_made_by(volume)
    if made_by is None:
        return ""
    if made_by.is_manual:
        return "a mask drawn by hand"
    return "a mask as the network gave it" if made_by.is_unedited else "an edited mask"


def _read(path: Path) -> Volume | None:
    try:
        return read_label_volume(path)
    except SmalltumorError:
        return None
