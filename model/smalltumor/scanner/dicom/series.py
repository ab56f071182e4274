"""DICOM images as series: slices of one volume, in order, on one grid."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from smalltumor.data.volumes.nifti import MAX_BYTES, Volume
from smalltumor.errors import CaseError, GridMismatchError
from smalltumor.geometry.grid import LPS_TO_RAS, Grid
from smalltumor.scanner.dicom.headers import DicomImage
from smalltumor.scanner.dicom.parts import slices_in_other_parts
from smalltumor.scanner.dicom.pixels import read_pixels
from smalltumor.scanner.dicom.stacks import (
    OFF_GRID,
    MissingSlices,
    count_positions,
    distance_along_normal,
    has_repeats,
    missing_slices,
    rounding_mm,
    stack_problem,
    step_of,
)
from smalltumor.scanner.dicom.titles import titles_of
from smalltumor.scanner.series import Series
from smalltumor.scanner.shear import shear_problem

MAX_REPETITIONS = 3
"""Volumes of one series that are listed one by one; more are a time series, which is no case."""

_NUMBER = re.compile(r"-?\d{1,12}")
"""A whole number as DICOM allows it, in at most 12 characters."""

_SAME_DIRECTION, _SAME_SPACING_MM, _SAME_ECHO_MS = 0.005, 0.001, 0.5
"""Largest differences, by rounding, of direction cosines, pixel sizes and echo times."""


def group_series(images: Iterable[DicomImage]) -> list[Series]:
    """Group images to volumes.

    Images of one Series Instance UID are several volumes if they differ in patient, orientation,
    matrix, echo time or kind (magnitude and phase), or if slices repeat a few times with another
    Acquisition Number. A time series (diffusion, perfusion) stays one series with a problem.

    Parameters
    ----------
    images : iterable of DicomImage

    Returns
    -------
    list of Series
        In the order of the series' numbers and times.
    """
    volumes = sorted(group_volumes(images), key=_order)
    parts = slices_in_other_parts(volumes)
    return list(map(_series, volumes, titles_of(volumes), parts))


def group_volumes(images: Iterable[DicomImage]) -> list[list[DicomImage]]:
    """The images of each volume, as of `group_series`."""
    return [volume for group in _groups(images) for volume in _without_repeats(group)]


def _groups(images: Iterable[DicomImage]) -> list[list[DicomImage]]:
    """Images that agree, apart from rounding, with the first one of their group."""
    groups: dict[tuple[object, ...], list[list[DicomImage]]] = defaultdict(list)
    for image in images:
        alike = groups[_volume_key(image)]
        group = next((group for group in alike if _is_parallel(group[0], image)), None)
        if group is None:
            alike.append([image])
        else:
            group.append(image)
    return [group for alike in groups.values() for group in alike]


def _volume_key(image: DicomImage) -> tuple[object, ...]:
    return (
        image.patient,
        image.study,
        image.series,
        image.shape,
        image.acquisition.image_type,
    )


def _is_parallel(first: DicomImage, other: DicomImage) -> bool:
    """Whether two images have one orientation, pixel size and echo time."""
    return (
        _is_close(first.orientation, other.orientation, _SAME_DIRECTION)
        and _is_close(first.spacing, other.spacing, _SAME_SPACING_MM)
        and _is_same_echo(first.acquisition.echo_time, other.acquisition.echo_time)
    )


def _is_close(first: Sequence[float], other: Sequence[float], tolerance: float) -> bool:
    # Values that are not finite are alike; `Grid` refuses them.
    return not any(abs(a - b) > tolerance for a, b in zip(first, other, strict=True))


def _is_same_echo(first: float | None, other: float | None) -> bool:
    if first is None or other is None:
        return first is other
    return abs(first - other) <= _SAME_ECHO_MS


def _without_repeats(images: Sequence[DicomImage]) -> list[list[DicomImage]]:
    """One list, or one for each of a few acquisitions if this separates repeated slices."""
    if not has_repeats(images):
        return [list(images)]
    parts: dict[tuple[str, str], list[DicomImage]] = defaultdict(list)
    for image in images:
        parts[image.repeat].append(image)
    separated = list(parts.values())
    if 1 < len(separated) <= MAX_REPETITIONS and not any(map(has_repeats, separated)):
        return separated
    return [list(images)]


def _order(images: Sequence[DicomImage]) -> tuple[str, str, int, str, str]:
    first = images[0]
    number = int(first.number) if _NUMBER.fullmatch(first.number) else 0
    return first.patient, first.date + first.study, number, first.acquisition.time, first.series


def _series(images: list[DicomImage], title: str, in_other_parts: MissingSlices) -> Series:
    first = images[0]
    images = sorted(images, key=distance_along_normal)
    rows, columns = first.shape
    grid, problem = _grid_or_problem(images)
    if problem and in_other_parts.text:
        problem = f"{problem}; {in_other_parts.text}"
    missing = in_other_parts if in_other_parts.text else missing_slices(images)
    return Series(
        title=title,
        patient=first.patient,
        study=first.study,
        date=first.date,
        acquisition=first.acquisition,
        shape=(columns, rows, count_positions(images)),
        spacing=(first.spacing[1], first.spacing[0], step_of(images)),
        location=first.path.parent,
        read=partial(read_series, images),
        problem=problem,
        incomplete=missing.text,
        missing_share=missing.share,
        uid=first.series,
        study_uid=first.study,
        frame_of_reference=first.frame_of_reference,
        identity=first.identity,
        is_named=first.is_named,
        birth_date=first.birth_date,
        sex=first.sex,
        files=tuple(dict.fromkeys(image.path for image in images)),
        frames=tuple(image.stored for image in images),
        grid=grid,
    )


def _grid_or_problem(images: Sequence[DicomImage]) -> tuple[Grid | None, str]:
    problem = stack_problem(images)
    if problem:
        return None, problem
    try:
        grid = _grid(images)
    except CaseError as error:
        return None, str(error)
    return grid, shear_problem(grid)


def read_series(images: Sequence[DicomImage]) -> Volume:
    """Read the voxels of a series.

    Parameters
    ----------
    images : sequence of DicomImage
        Its slices in the order of `group_series`, which are evenly spaced.

    Returns
    -------
    Volume
        Axes i along a row, j along a column, k from slice to slice; a new NIfTI header.

    Raises
    ------
    CaseError
        If a file is damaged, its compression unknown or its image another one by now, or the volume
        is too large.
    """
    first = images[0]
    rows, columns = first.shape
    if rows * columns * len(images) * 4 > MAX_BYTES:
        raise CaseError(f"{first.path.parent}: the series is too large for one volume")
    slices = read_pixels([image.stored for image in images])
    for image, pixels in zip(images, slices, strict=True):
        if pixels.shape != image.shape:
            raise CaseError(f"{image.path}: the pixels do not have the size in the header")
    data = np.stack(slices, axis=-1).swapaxes(0, 1)
    grid = _grid(images)
    import nibabel as nib

    header = nib.Nifti1Image(np.zeros((1, 1, 1), np.int16), grid.affine).header
    header.set_xyzt_units("mm")
    header.set_data_shape(data.shape)
    header.set_sform(grid.affine, code=1)
    header.set_qform(grid.affine, code=1)
    return Volume(data, grid, header, first.path.parent)


def _grid(images: Sequence[DicomImage]) -> Grid:
    first, last = images[0], images[-1]
    row, column = np.reshape(first.orientation, (2, 3))
    affine = np.eye(4)
    with np.errstate(invalid="ignore"):  # `Grid` refuses what is not finite
        affine[:3, 0] = row * first.spacing[1]
        affine[:3, 1] = column * first.spacing[0]
    affine[:3, 2] = np.subtract(last.position, first.position) / (len(images) - 1)
    affine[:3, 3] = first.position
    rows, columns = first.shape
    return Grid((columns, rows, len(images)), LPS_TO_RAS @ affine)


def slices_on_grid(images: Sequence[DicomImage], grid: Grid) -> list[int]:
    """The slice k of a grid that each image shows.

    Parameters
    ----------
    images : sequence of DicomImage
        Of one series, in any order.
    grid : Grid
        As that of `read_series`.

    Raises
    ------
    GridMismatchError
        If the images are not the slices of the grid.
    """
    columns, rows, count = grid.shape
    to_voxel = np.linalg.inv(LPS_TO_RAS @ grid.affine)
    # The first and the last pixel of each image.
    first = [_on_grid(to_voxel, image, 0, 0) for image in images]
    last = [_on_grid(to_voxel, image, columns - 1, rows - 1) for image in images]
    slices = np.rint([k for _, _, k in first]).astype(int)
    off = np.abs(np.subtract(first, [(0, 0, k) for k in slices]))
    off_last = np.abs(np.subtract(last, [(columns - 1, rows - 1, k) for k in slices]))
    # The slices between the first and the last may be a little unevenly spaced.
    between = (slices > 0) & (slices < count - 1)
    off[between, 2] = off_last[between, 2] = 0
    rounding = np.sqrt(3) * rounding_mm(images)
    tolerance = np.maximum(OFF_GRID, rounding / grid.spacing)
    in_place = bool((np.maximum(off, off_last) <= tolerance).all())
    same_size = all(image.shape == (rows, columns) for image in images)
    if not (in_place and same_size) or sorted(slices) != list(range(count)):
        raise GridMismatchError(
            f"the mask does not lie on the grid of the series in {images[0].path.parent}"
        )
    return [int(k) for k in slices]


def _on_grid(
    to_voxel: npt.NDArray[np.floating], image: DicomImage, column: int, row: int
) -> tuple[float, float, float]:
    """Voxel index of a pixel's centre."""
    along_row, along_column = np.reshape(image.orientation, (2, 3))
    point = np.asarray(image.position) + along_row * image.spacing[1] * column
    point = point + along_column * image.spacing[0] * row
    i, j, k = (to_voxel @ (*point, 1.0))[:3]
    return float(i), float(j), float(k)
