"""Reading label volumes: the tissue classes of a case, and the scheme they are stored in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from smalltumor.data.case import Case
from smalltumor.data.nifti import Volume, read_volume
from smalltumor.errors import CaseError, GridMismatchError, LabelError
from smalltumor.labels.masks import Classes
from smalltumor.labels.schemes import SCHEMES, LabelScheme, detect_scheme, integer_values


def read_labels(case: Case, scheme: str | None = None) -> tuple[Classes, LabelScheme]:
    """Read the expert's segmentation of a case.

    Parameters
    ----------
    case : Case
    scheme : str, optional
        Name of its label scheme; by default the values and the naming decide.

    Returns
    -------
    classes : (i, j, k) uint8 array
        Tissue classes on the case's grid.
    scheme : LabelScheme
        The scheme of the file.

    Raises
    ------
    CaseError
        If the case has no segmentation, or it cannot be read.
    GridMismatchError
        If it is on another grid than the images.
    LabelError
        If it is not 3D, or its values fit no scheme or several.
    """
    if case.labels_path is None:
        raise CaseError(f"{case.name} has no segmentation beside it (CASE_seg.nii.gz)")
    volume = read_label_volume(case.labels_path)
    if not volume.grid.matches(case.grid):
        raise GridMismatchError(
            f"{volume.path} is on another grid than {case.name}: {volume.grid.describe()}; "
            f"expected {case.grid.describe()}"
        )
    return decode_labels(volume, scheme, case.scheme_hint)


def read_label_volume(path: Path) -> Volume:
    """Read a label volume, as stored.

    Raises
    ------
    CaseError
        If the file cannot be read.
    LabelError
        If it is not 3D.
    """
    volume = read_volume(path)
    check_label_shape(volume)
    return volume


def check_label_shape(volume: Volume) -> None:
    """Check that a label volume is 3D; trailing axes of length 1 were dropped on reading.

    Raises
    ------
    LabelError
        Naming the file and its shape, and whether it is a stack of masks.
    """
    data = volume.data
    if data.ndim == 3:
        return
    shape = " x ".join(str(n) for n in data.shape)
    stack = ""
    if np.all((data == 0) | (data == 1)):
        stack = f": a stack of {data.shape[-1]} masks, such as one-hot classes or regions"
    raise LabelError(f"{volume.path} has the shape {shape}{stack}; a label volume is 3D")


def decode_labels(
    volume: Volume, scheme: str | None = None, hint: str | None = None
) -> tuple[Classes, LabelScheme]:
    """Convert a label volume to tissue classes.

    Parameters
    ----------
    volume : Volume
    scheme : str, optional
        Name of the scheme; by default `detect_scheme` decides.
    hint : str, optional
        Name of the scheme that goes with the names of the files.

    Returns
    -------
    classes : (i, j, k) uint8 array
    scheme : LabelScheme

    Raises
    ------
    LabelError
        Naming the file, if it is not 3D, or its values fit no scheme or several.
    """
    check_label_shape(volume)
    try:
        found = SCHEMES[scheme] if scheme else detect_scheme(integer_values(volume.data), hint)
        return found.decode(volume.data), found
    except LabelError as error:
        raise error.prefixed(volume.path) from error
