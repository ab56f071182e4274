"""The scale that Philips gives each image beside that of DICOM.

Philips stretches the intensities of an image over the range of display. Two images can be compared
as floating point values, ``displayed / (Rescale Slope * Scale Slope)``; the scale slope is private
(Chenevert et al. 2014, Translational Oncology, doi:10.1593/tlo.13811).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

_CREATORS = ("Philips MR Imaging DD 001", "Philips MR Imaging DD 005")
_GROUP, _SCALE_SLOPE = 0x2005, 0x0E
_OF_FRAME = 0x0F
"""Sequence with the private values of a frame, of the second creator."""


def display_factors(dataset: Any, slopes: Sequence[float]) -> tuple[float | None, ...]:
    """By what the floating point values of frames are multiplied to be displayed.

    Parameters
    ----------
    dataset : pydicom.Dataset
    slopes : sequence of float
        Rescale slope of each frame.

    Returns
    -------
    tuple of float or None
        None for frames without a scale slope.
    """
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    own = [_scale_slope(dataset)] * len(slopes)
    for index, frame in enumerate(frames[: len(slopes)]):
        own[index] = next(filter(None, map(_scale_slope, _private_items(frame))), own[index])
    return tuple(slope * scale if scale else None for slope, scale in zip(slopes, own, strict=True))


def _private_items(frame: Any) -> Sequence[Any]:
    value = _private(frame, _OF_FRAME)
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else ()


def _scale_slope(dataset: Any) -> float:
    """The scale slope; 0 if there is none."""
    try:
        slope = float(_private(dataset, _SCALE_SLOPE) or 0)
    except (TypeError, ValueError):
        return 0.0
    return slope if isfinite(slope) and slope > 0 else 0.0


def _private(dataset: Any, element: int) -> Any:
    for creator in _CREATORS:
        try:
            return dataset.private_block(_GROUP, creator)[element].value
        except KeyError:
            continue
    return None
