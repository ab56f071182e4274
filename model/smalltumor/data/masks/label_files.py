"""Reading label volumes: the tissue classes of a case, and the scheme they are stored in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import recorded_images_text
from smalltumor.data.identity.mask_names import other_case_text
from smalltumor.data.masks.label_scheme import FoundScheme, find_scheme
from smalltumor.data.masks.layered_segments import without_layers
from smalltumor.data.volumes.header_checks import check_axes, header_problems
from smalltumor.data.volumes.nifti import Volume
from smalltumor.data.volumes.volume_files import read_volume
from smalltumor.errors import CaseError, GridMismatchError, LabelError
from smalltumor.files.file_stamp import stamp_of
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.placement import place_on_grid
from smalltumor.labels.masks import Classes
from smalltumor.labels.schemes import WHOLE_TOLERANCE, LabelScheme

MAX_TUMOUR_ML = 600.0
"""Largest volume of labels that can be a tumour; brain masks of adults have more than 900 ml."""


def read_labels(case: Case, scheme: str | None = None) -> tuple[Classes, LabelScheme]:
    """Read the expert's segmentation of a case.

    If the file records that it was made of other images, is named after another case, or has a
    header that contradicts itself or `scheme`, that is added to the case's warnings.

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
        If its voxels are not those of the images.
    LabelError
        If it is not 3D, its values fit no scheme or several, or it is a mask of the brain.
    """
    return labels_of_volume(read_labels_as_stored(case), case, scheme)


def read_labels_as_stored(case: Case) -> Volume:
    """Read the file of the expert's segmentation of a case.

    Raises
    ------
    CaseError
        If the case has no segmentation, or it cannot be read.
    LabelError
        If it is not 3D.
    """
    if case.labels_path is None:
        raise no_labels_error(case)
    return read_label_volume(case.labels_path)


def labels_of_volume(
    volume: Volume, case: Case, scheme: str | None = None
) -> tuple[Classes, LabelScheme]:
    """As `read_labels`, of a file that `read_labels_as_stored` has read."""
    volume = on_grid(volume, case.grid, case.name)
    classes, found = decode_labels(volume, scheme, case.scheme_hint)
    texts = [recorded_images_text([volume], case), other_case_text(volume.path, case)]
    texts += [found.contradiction, *header_warnings_of(volume, case)]
    case.warnings += [text for text in texts if text and text not in case.warnings]
    return classes, found.scheme


def header_warnings_of(volume: Volume, case: Case) -> list[str]:
    """Reasons to doubt where a mask lies, unless the images have the same ones."""
    problems = header_problems(volume.header, volume.grid)
    return [
        f"{volume.path}: {problem}"
        for problem in problems
        if not any(problem in warning for warning in case.warnings)
    ]


def no_labels_error(case: Case) -> CaseError:
    """The error for a case without a segmentation."""
    return CaseError(f"{case.name} has no segmentation beside it (CASE_seg.nii.gz)")


def read_label_volume(path: Path) -> Volume:
    """Read a label volume.

    Returns
    -------
    Volume
        Integers, if the stored values are whole numbers but for `WHOLE_TOLERANCE`; else as stored.

    Raises
    ------
    CaseError
        If the file cannot be read.
    LabelError
        If it is not 3D, and its layers are not WT, TC and ET, see `without_layers`.
    """
    stamp = stamp_of(path)
    volume = without_layers(replace(read_volume(path), stamp=stamp))
    check_label_shape(volume)
    return rounded(volume)


def rounded(volume: Volume) -> Volume:
    """The label volume as integers, if its values are whole numbers but for `WHOLE_TOLERANCE`."""
    data = volume.data
    if data.dtype.kind != "f":
        return volume
    whole = np.rint(data)
    small = whole.min() >= 0 and whole.max() <= np.iinfo(np.uint8).max
    if not small or np.abs(data - whole).max() > WHOLE_TOLERANCE:
        return volume
    return replace(volume, data=whole.astype(np.uint8))


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


def on_grid(volume: Volume, grid: Grid, name: str) -> Volume:
    """The labels on the grid of the images, placed by their affine; see `place_on_grid`.

    Parameters
    ----------
    volume : Volume
        A label volume.
    grid : Grid
    name : str
        What has the grid, for the message.

    Raises
    ------
    GridMismatchError
        If the voxels are not those of the images, labelled ones lie outside them, or they may be
        mirrored, see `check_axes`.
    """
    if volume.grid.matches(grid):
        return volume
    check_axes(volume, grid)
    try:
        placed = place_on_grid(volume.data, volume.grid, grid)
    except GridMismatchError as error:
        raise error.prefixed(volume.path) from error
    if placed is None:
        raise GridMismatchError(
            f"{volume.path} is on another grid than {name}: {volume.grid.describe()}; "
            f"expected {grid.describe()}"
        )
    return replace(volume, data=placed, grid=grid)


def decode_labels(
    volume: Volume, scheme: str | LabelScheme | None = None, hint: str | None = None
) -> tuple[Classes, FoundScheme]:
    """Convert a label volume to tissue classes.

    Parameters
    ----------
    volume : Volume
    scheme : str or LabelScheme, optional
        The scheme or its name; by default `find_scheme` decides.
    hint : str, optional
        Name of the scheme that goes with the names of the files.

    Returns
    -------
    classes : (i, j, k) uint8 array
    found : FoundScheme

    Raises
    ------
    LabelError
        Naming the file, if it is not 3D, its values fit no scheme or several, or it labels more
        than `MAX_TUMOUR_ML`.
    """
    check_label_shape(volume)
    try:
        found = find_scheme(volume, scheme, hint)
        classes = found.scheme.decode(volume.data)
    except LabelError as error:
        raise error.prefixed(volume.path) from error
    check_tumour_size(volume)
    return classes, found


def check_tumour_size(volume: Volume) -> None:
    """Check that a label volume does not label the whole brain.

    Raises
    ------
    LabelError
        Naming the file, if it labels more than `MAX_TUMOUR_ML`.
    """
    labelled = int(np.count_nonzero(volume.data)) * volume.grid.voxel_volume / 1000
    if labelled > MAX_TUMOUR_ML:
        raise LabelError(
            f"{volume.path} labels {labelled:.0f} ml, too much for a tumour; it may be a mask of "
            "the brain"
        )
