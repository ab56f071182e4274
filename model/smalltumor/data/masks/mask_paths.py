"""Where a mask may be written: not over an image, and not under the name of another case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.identity.image_digests import images_of_mask
from smalltumor.data.identity.mask_images import check_not_of_another
from smalltumor.data.volumes.nifti import is_nifti_name, label_scheme_of, read_header, read_nifti
from smalltumor.errors import Action, CaseError, LabelError, OutputError, Remedy
from smalltumor.labels.schemes import integer_values

_MOST_LABELS = 128
"""Labels that a file of another program has at most: those of an atlas of the brain."""

_SUM_TOLERANCE = 1e-3
"""Of the probabilities of a voxel."""


def check_mask_path(path: Path, case: str) -> None:
    """Check that a mask of a case replaces no image, and is not another case's by its name.

    Names tell images of some collections only: nnU-Net's are numbered, and the Decathlon's and
    those of a scanner have names of their own. So the content of a file that exists counts too.
    Parameters and errors as for `check_not_of_another`.
    """
    check_not_of_another(path, case)
    check_holds_no_image(path)


def check_holds_no_image(path: Path) -> None:
    """Check that a file that exists holds no image, which a mask would replace.

    Raises
    ------
    OutputError
        If it does, or if it has the header of an image and cannot be read.
    """
    if is_nifti_name(path) and _may_hold_image(path):
        raise OutputError(
            f"{path} holds an image, which no mask replaces", Remedy(Action.CHOOSE_OUTPUT)
        )


def _may_hold_image(path: Path) -> bool:
    """Whether a file may hold what is neither labels nor probabilities of classes."""
    try:
        if label_scheme_of(read_header(path)) or images_of_mask(path):
            return False
    except CaseError:  # it does not exist, or is no volume
        return False
    try:
        data = read_nifti(path, allow_nonfinite=True).data
        if data.ndim == 4 and data.shape[-1] > 1:
            return not _are_probabilities(data)
        return len(integer_values(data)) > _MOST_LABELS
    except (CaseError, LabelError):  # truncated, of colours, of more dimensions, or no labels
        return True


def _are_probabilities(data: npt.NDArray[np.generic]) -> bool:
    if data.dtype.kind != "f":
        return False
    return bool(np.allclose(data.sum(axis=-1), 1, atol=_SUM_TOLERANCE))
