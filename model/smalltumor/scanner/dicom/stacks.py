"""Whether the slices of a series are a complete, evenly spaced stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from smalltumor.scanner.dicom.headers import DicomImage

MIN_SLICES = 8
"""Localizers and single slices have fewer; a head at 7 mm has more than 20."""

OFF_GRID = 0.1
"""Largest distance, in voxels, of an image from its place on a grid."""

_UNEVEN = 0.1
"""Largest deviation of the distance of two slices, as a share of the usual distance."""

_POSITION_STEPS_MM = (0.1, 0.01)
"""Positions are often rounded to one or two decimals."""

_WIDE = 1.9
"""Distance of slices in thicknesses, or in stated distances, from which slices may be missing."""


def distance_along_normal(image: DicomImage) -> float:
    """Distance of the slice along the normal of its plane, in mm."""
    row, column = np.reshape(image.orientation, (2, 3))
    return float(np.dot(np.cross(row, column), image.position))


def step_of(images: Sequence[DicomImage]) -> float:
    """The usual distance of neighbours in mm, apart from repeated slices; 0 for a single slice."""
    steps = _steps(images)
    between = steps[steps > min(_POSITION_STEPS_MM)]
    return float(np.median(between)) if len(between) else 0.0


def has_repeats(images: Sequence[DicomImage]) -> bool:
    """Whether two slices lie at one place."""
    return count_positions(images) < len(images)


def count_positions(images: Sequence[DicomImage]) -> int:
    """The number of places of slices."""
    return len({tuple(round(x, 2) for x in image.position) for image in images})


def stack_problem(images: Sequence[DicomImage]) -> str:
    """Why slices, in their order, make no volume; empty if they do."""
    if images[0].modality != "MR":
        return f"the modality is {images[0].modality or 'not given'}, not MR"
    if len(images) < MIN_SLICES:
        return f"it has only {len(images)} slice" + ("s" if len(images) > 1 else "")
    if has_repeats(images):
        return f"it has {len(images)} images at {count_positions(images)} positions"
    off = _from_even_stack(images)
    if np.abs(off).max() <= rounding_mm(images):
        return ""
    steps = _steps(images)
    usual = float(np.median(steps))
    if usual <= 0 or np.abs(steps - usual).max() > _UNEVEN * usual:
        if steps.max() > 1.5 * usual > 0:
            return f"slices are missing: {steps.max():.3g} mm between two, {usual:.3g} mm elsewhere"
        return f"the slices are {steps.min():.3g} to {steps.max():.3g} mm apart"
    displaced = float(np.linalg.norm(_within_plane(images[0], off), axis=1).max())
    if displaced > OFF_GRID * min(images[0].spacing):
        return f"slices are displaced within their plane by up to {displaced:.3g} mm"
    return ""


class MissingSlices(NamedTuple):
    """What tells that slices are missing, if anything does, and their share of all."""

    text: str = ""
    share: float = 0.0


def missing_slices(images: Sequence[DicomImage]) -> MissingSlices:
    """What tells that slices are missing although the others are evenly spaced.

    After an interrupted transfer those at an end are missing: an acquisition of several echoes or
    series has a multiple of the images of each. Or every other one is: slices are rarely as far
    apart as they are thick, unless the header says so.
    """
    stated, count = max(image.images_in_acquisition for image in images), len(images)
    if stated > count and stated % count:
        text = f"{count} of {stated} slices that its header states"
        return MissingSlices(text, 1 - count / stated)
    step, thickness, distance = step_of(images), images[0].thickness, images[0].slice_distance
    if abs(step - distance) <= _UNEVEN * step or step < _WIDE * (thickness or distance or np.inf):
        return MissingSlices()
    text = f"slices of {thickness:.3g} mm that are {step:.3g} mm apart"
    if distance > 0:
        text = f"slices {step:.3g} mm apart instead of the {distance:.3g} mm that its header states"
    return MissingSlices(text, 1 - (distance or thickness) / step)


def rounding_mm(images: Sequence[DicomImage]) -> float:
    """How far slices may lie, along each axis, from their places because positions were rounded.

    As far as the places of the slices at both ends may be wrong, too, from which they are computed.
    """
    positions = np.array([image.position for image in images])
    with np.errstate(invalid="ignore"):
        of_steps = (
            np.abs(positions - step * np.rint(positions / step)).max() < step / 1000
            for step in _POSITION_STEPS_MM
        )
        step = next((s for s, r in zip(_POSITION_STEPS_MM, of_steps, strict=True) if r), 0.0)
    return max(step, min(_POSITION_STEPS_MM))


def _steps(images: Sequence[DicomImage]) -> npt.NDArray[np.float64]:
    return np.diff([distance_along_normal(image) for image in images])


def _from_even_stack(images: Sequence[DicomImage]) -> npt.NDArray[np.float64]:
    """Where slices lie beside their places on the line of first to last, (slice, 3) in mm."""
    positions = np.array([image.position for image in images])
    with np.errstate(invalid="ignore"):  # `Grid` refuses what is not finite
        return np.asarray(positions - np.linspace(positions[0], positions[-1], len(images)))


def _within_plane(image: DicomImage, vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    row, column = np.reshape(image.orientation, (2, 3))
    return np.asarray(vectors @ np.transpose([row, column]))
