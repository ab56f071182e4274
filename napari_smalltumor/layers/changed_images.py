"""Cases whose files hold something else than what is shown, such as another patient's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.errors import CaseError, OutputError
from smalltumor.text import list_text


class ChangedFilesError(CaseError):
    """Files hold something else than what is shown of them."""


class ChangedLabelsError(ChangedFilesError):
    """A label file holds other labels than those that are shown."""


class ChangedImagesError(ChangedFilesError):
    """The files of a case that is open hold other images than those that are shown."""


def no_longer_shown_text(case: Case, title: str = "") -> str:
    """The sentence that says so, with the name of the case for the user."""
    return f"{_folder_text(case)} no longer holds the images that are shown of {title or case.name}"


def check_not_beside(paths: Iterable[Path], case: Case) -> None:
    """Check that no file of a case would lie beside other images than those that are shown.

    Raises
    ------
    OutputError
        That says so.
    """
    folders = folders_of(case)
    if any(path.parent.resolve() in folders for path in paths) and case.has_changed_images:
        raise OutputError(f"{no_longer_shown_text(case)}; choose another folder")


def are_of_same_images(one: Case, other: Case) -> bool:
    """Whether cases that were read one after the other show the same images, by their voxels."""
    if one is other or not (one.loaded_images or other.loaded_images):
        return True
    common = one.loaded_images.keys() & other.loaded_images.keys()
    return bool(common) and all(
        one.loaded_images[path].checksum == other.loaded_images[path].checksum for path in common
    )


def folders_of(case: Case) -> set[Path]:
    """The folders from which the images of a case were read."""
    return {path.parent.resolve() for path in case.loaded_images}


def _folder_text(case: Case) -> str:
    return list_text(sorted(map(str, folders_of(case))))
