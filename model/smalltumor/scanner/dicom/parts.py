"""Volumes of a series that are parts of one stack, because headers of its slices differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from smalltumor.scanner.dicom.headers import DicomImage
from smalltumor.scanner.dicom.stacks import MissingSlices, distance_along_normal, step_of

_SAME_DIRECTION = 0.05
"""Largest difference of direction cosines, about three degrees, of parts of a stack."""

_UNEVEN = 0.1
"""Largest deviation of the distance of two slices of a stack, as a share of the usual distance."""

_KINDS: Mapping[str, Callable[[DicomImage], Hashable]] = MappingProxyType(
    {
        "orientation": lambda image: image.orientation,
        "pixel size": lambda image: image.spacing,
        "matrix": lambda image: image.shape,
        "echo time": lambda image: image.acquisition.echo_time,
        "image type": lambda image: image.acquisition.image_type,
    }
)


def slices_in_other_parts(volumes: Sequence[Sequence[DicomImage]]) -> list[MissingSlices]:
    """For each volume, the slices that other volumes of its series have instead.

    Such a volume would be a part of the head that looks like a whole one.

    Parameters
    ----------
    volumes : sequence of sequence of DicomImage
        As of `smalltumor.scanner.dicom.series.group_volumes`.
    """
    of_series: dict[Hashable, list[int]] = defaultdict(list)
    for index, (first, *_) in enumerate(volumes):
        of_series[first.patient, first.study, first.series].append(index)
    found = [MissingSlices()] * len(volumes)
    for indices in of_series.values():
        for index in indices:
            others = [volumes[other] for other in indices if other != index]
            found[index] = _missing(volumes[index], others)
    return found


def _missing(images: Sequence[DicomImage], others: Sequence[Sequence[DicomImage]]) -> MissingSlices:
    parts = [other for other in others if _continues(images, other)]
    if not parts:
        return MissingSlices()
    count = len(images)
    total = count + sum(map(len, parts))
    kinds = " and ".join(
        name
        for name, value in _KINDS.items()
        if any(value(images[0]) != value(p[0]) for p in parts)
    )
    text = f"{count} of {total} slices of its series, as the others have another {kinds}"
    return MissingSlices(text, 1 - count / total)


def _continues(images: Sequence[DicomImage], other: Sequence[DicomImage]) -> bool:
    """Whether two volumes are parallel and together are one stack of even slices."""
    difference = np.abs(np.subtract(images[0].orientation, other[0].orientation)).max()
    if not difference <= _SAME_DIRECTION:
        return False
    along = np.cross(*np.reshape(images[0].orientation, (2, 3)))
    steps = np.diff(np.sort([np.dot(along, image.position) for image in (*images, *other)]))
    usual = step_of(sorted((*images, *other), key=distance_along_normal))
    return bool(usual > 0 and np.abs(steps - usual).max() <= _UNEVEN * usual)
