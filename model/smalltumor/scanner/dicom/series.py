"""DICOM images as series: slices of one volume, in order, on one grid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from smalltumor.data.volumes.nifti import MAX_BYTES, Volume
from smalltumor.errors import CaseError, GridMismatchError
from smalltumor.geometry.grid import LPS_TO_RAS, Grid
from smalltumor.scanner.dicom.headers import DicomImage
from smalltumor.scanner.dicom.pixels import read_pixels
from smalltumor.scanner.dicom.titles import titles_of
from smalltumor.scanner.series import Series

FEWEST_SLICES = 8
"""Localizers and single slices have fewer; a head at 7 mm has more than 20."""

MOST_REPETITIONS = 3
"""Volumes of one series that are listed one by one; more are a time series, which is no case."""

_UNEVEN = 0.1
"""Largest deviation of the distance of two slices, as a share of the usual distance."""

_OFF_GRID = 0.1
"""Largest distance, in voxels, of an image from its place on a grid."""

_SMALLEST_DISPLACEMENT_MM = 0.01
"""Positions are often rounded to two decimals."""

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
    titles = titles_of(volumes)
    return [_series(volume, title) for volume, title in zip(volumes, titles, strict=True)]


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
    if not _repeats(images):
        return [list(images)]
    parts: dict[tuple[str, str], list[DicomImage]] = defaultdict(list)
    for image in images:
        parts[image.repeat].append(image)
    separated = list(parts.values())
    if 1 < len(separated) <= MOST_REPETITIONS and not any(map(_repeats, separated)):
        return separated
    return [list(images)]


def _repeats(images: Sequence[DicomImage]) -> bool:
    return _count_positions(images) < len(images)


def _count_positions(images: Sequence[DicomImage]) -> int:
    return len({tuple(round(x, 2) for x in image.position) for image in images})


def _order(images: Sequence[DicomImage]) -> tuple[str, str, int, str, str]:
    first = images[0]
    number = int(first.number) if first.number.lstrip("-").isdecimal() else 0
    return first.patient, first.date + first.study, number, first.acquisition.time, first.series


def _series(images: list[DicomImage], title: str) -> Series:
    first = images[0]
    images = sorted(images, key=_distance)
    rows, columns = first.shape
    steps = np.diff([_distance(image) for image in images])
    between = steps[steps > _SMALLEST_DISPLACEMENT_MM]
    step = float(np.median(between)) if len(between) else 0.0
    grid, problem = _grid_or_problem(images, steps)
    return Series(
        title=title,
        patient=first.patient,
        study=first.study,
        date=first.date,
        acquisition=first.acquisition,
        shape=(columns, rows, _count_positions(images)),
        spacing=(first.spacing[1], first.spacing[0], step),
        location=first.path.parent,
        read=partial(read_series, images),
        problem=problem,
        incomplete=_missing_at_the_end(images),
        uid=first.series,
        study_uid=first.study,
        identity=first.identity,
        is_named=first.is_named,
        files=tuple(dict.fromkeys(image.path for image in images)),
        frames=tuple((image.path, image.frame) for image in images),
        grid=grid,
    )


def _missing_at_the_end(images: Sequence[DicomImage]) -> str:
    """How many images there are of those that the headers state; empty if none is missing.

    An acquisition of several echoes or series has a multiple of the images of each.
    """
    stated, count = max(image.images_in_acquisition for image in images), len(images)
    return f"{count} of {stated} slices" if stated > count and stated % count else ""


def _distance(image: DicomImage) -> float:
    """Distance of the slice along the normal of its plane, in mm."""
    row, column = np.reshape(image.orientation, (2, 3))
    return float(np.dot(np.cross(row, column), image.position))


def _grid_or_problem(
    images: Sequence[DicomImage], steps: npt.NDArray[np.float64]
) -> tuple[Grid | None, str]:
    problem = _problem(images, steps)
    if problem:
        return None, problem
    try:
        return _grid(images), ""
    except CaseError as error:
        return None, str(error)


def _problem(images: Sequence[DicomImage], steps: npt.NDArray[np.float64]) -> str:
    if images[0].modality != "MR":
        return f"the modality is {images[0].modality or 'not given'}, not MR"
    if len(images) < FEWEST_SLICES:
        return f"it has only {len(images)} slice" + ("s" if len(images) > 1 else "")
    if _repeats(images):
        return f"it has {len(images)} images at {_count_positions(images)} positions"
    usual = float(np.median(steps))
    if usual <= 0 or np.abs(steps - usual).max() > _UNEVEN * usual:
        if steps.max() > 1.5 * usual > 0:
            return f"slices are missing: {steps.max():.3g} mm between two, {usual:.3g} mm elsewhere"
        return f"the slices are {steps.min():.3g} to {steps.max():.3g} mm apart"
    displaced = _displacement(images)
    if displaced > max(_OFF_GRID * min(images[0].spacing), _SMALLEST_DISPLACEMENT_MM):
        return f"slices are displaced within their plane by up to {displaced:.3g} mm"
    return ""


def _displacement(images: Sequence[DicomImage]) -> float:
    """Largest distance in mm, within the plane, of a slice from the line of first to last."""
    positions = np.array([image.position for image in images])
    row, column = np.reshape(images[0].orientation, (2, 3))
    with np.errstate(invalid="ignore"):  # `Grid` refuses what is not finite
        expected = np.linspace(positions[0], positions[-1], len(images))
        within = (positions - expected) @ np.transpose([row, column])
    return float(np.linalg.norm(within, axis=1).max())


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
        If a file is damaged or its compression unknown, or the volume is too large.
    """
    first = images[0]
    rows, columns = first.shape
    if rows * columns * len(images) * 4 > MAX_BYTES:
        raise CaseError(f"{first.path.parent}: the series is too large for one volume")
    slices = read_pixels([(image.path, image.frame) for image in images])
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
    in_place = max(off.max(), off_last.max()) <= _OFF_GRID
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
