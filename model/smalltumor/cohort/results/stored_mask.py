"""Masks in a folder of results, read again."""

from __future__ import annotations

from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.errors import CaseError

if TYPE_CHECKING:
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.labels.masks import Classes


def read_stored_mask(path: Path, name: str, scheme: str) -> Segmentation:
    """Read the mask of a case.

    Parameters
    ----------
    path : Path
    name : str
        Name of the case.
    scheme : str
        Label scheme of the masks of the folder.

    Raises
    ------
    SmalltumorError
        If it cannot be read, has other labels, or its header names another scheme.
    """
    from smalltumor.data.identity.image_digests import recorded_images
    from smalltumor.data.made_by import recorded_made_by
    from smalltumor.data.masks.label_files import decode_labels
    from smalltumor.data.masks.label_scheme import find_scheme
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.data.volumes.nifti import read_nifti

    volume = read_nifti(path)
    found = find_scheme(volume, scheme)
    if found.contradiction:
        raise CaseError(f"{found.contradiction}, as all masks of {path.parent} are")
    classes, _ = decode_labels(volume, found.scheme)
    return Segmentation(
        name,
        classes,
        volume.grid,
        volume.header,
        made_of=recorded_images(volume),
        made_by=recorded_made_by(volume),
    )


def digest_of_classes(classes: Classes) -> str:
    """SHA-256 of tissue classes, (i, j, k) uint8, however their file stores them."""
    return sha256(classes.tobytes()).hexdigest()


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file, such as a mask that somebody may have changed meanwhile.

    Raises
    ------
    CaseError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error.strerror or error}") from error
