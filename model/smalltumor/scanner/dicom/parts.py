"""Volumes of a series that are parts of one stack, because headers of its slices differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from smalltumor.scanner.dicom.headers import DicomImage
from smalltumor.scanner.dicom.stacks import MissingSlices
from smalltumor.text import list_text

_Volume = Sequence[DicomImage]
_Places = frozenset[int]
"""Indices of the places of slices along the normal, which parallel volumes may share."""

_SAME_DIRECTION = 0.05
"""Largest difference of direction cosines, about three degrees, of parts of a stack."""

_SAME_PLACE_MM = 0.01
"""Largest distance of neighbours at one place."""

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


class _Stack(NamedTuple):
    """The number of slices of a stack, and by kind, the values that each of its parts has."""

    slices: int
    common: Mapping[str, frozenset[Hashable]]


def slices_in_other_parts(volumes: Sequence[_Volume]) -> list[MissingSlices]:
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
    for series in of_series.values():
        for indices in _parallel(volumes, series):
            missing = _in_other_parts([volumes[index] for index in indices])
            for index, slices in zip(indices, missing, strict=True):
                found[index] = slices
    return found


def _parallel(volumes: Sequence[_Volume], indices: Sequence[int]) -> Iterator[list[int]]:
    """Indices of volumes that have the orientation of the first of them."""
    left = np.array(indices)
    orientations = np.array([volumes[index][0].orientation for index in indices])
    while len(left):
        alike = np.abs(orientations - orientations[0]).max(axis=1) <= _SAME_DIRECTION
        alike[0] = True  # it may not be finite
        yield left[alike].tolist()
        left, orientations = left[~alike], orientations[~alike]


def _in_other_parts(volumes: Sequence[_Volume]) -> list[MissingSlices]:
    """As `slices_in_other_parts`, of parallel volumes of a series."""
    if len(volumes) == 1:
        return [MissingSlices()]
    distances, places = _places(volumes)
    at: dict[_Places, list[_Volume]] = defaultdict(list)
    for volume, own in zip(volumes, places, strict=True):
        at[own].append(volume)
    stack_of: dict[_Places, _Stack] = {}
    for group in _without_common_places(at):
        parts = _even_stack(group, distances)
        if len(parts) > 1:
            common = _common_values([at[part] for part in parts])
            stack_of.update(dict.fromkeys(parts, _Stack(sum(map(len, parts)), common)))
    return [
        _missing(volume, len(own), stack_of[own]) if own in stack_of else MissingSlices()
        for volume, own in zip(volumes, places, strict=True)
    ]


def _places(volumes: Sequence[_Volume]) -> tuple[npt.NDArray[np.float64], list[_Places]]:
    """Distances of places along the normal, in mm, from first to last; and those of each volume."""
    along = np.cross(*np.reshape(volumes[0][0].orientation, (2, 3)))
    positions = [image.position for volume in volumes for image in volume]
    with np.errstate(invalid="ignore"):  # `Grid` refuses what is not finite
        of_images = np.array(positions) @ along
        order = np.argsort(of_images)
        is_next = np.diff(of_images[order], prepend=of_images[order[0]]) > _SAME_PLACE_MM
    place = np.empty(len(order), np.int64)
    place[order] = np.cumsum(is_next)
    ends = np.cumsum([len(volume) for volume in volumes])
    is_next[0] = True
    return of_images[order][is_next], [
        frozenset(own.tolist()) for own in np.split(place, ends[:-1])
    ]


def _without_common_places(volumes: Iterable[_Places]) -> list[list[_Places]]:
    """Volumes without common places together: each, the largest first, joins the first it can."""
    groups: list[tuple[set[int], list[_Places]]] = []
    for own in sorted(volumes, key=len, reverse=True):
        free = (group for group in groups if group[0].isdisjoint(own))
        taken, members = next(free, (set(), []))
        if not members:
            groups.append((taken, members))
        taken |= own
        members.append(own)
    return [members for _, members in groups]


def _even_stack(
    volumes: Sequence[_Places], distances: npt.NDArray[np.float64]
) -> Sequence[_Places]:
    """The volumes without the last ones, which may be single images beside the stack."""
    taken = np.sort([place for volume in volumes for place in volume])
    for count in range(len(volumes), 1, -1):
        steps = np.diff(distances[taken])
        usual = np.median(steps)
        if np.abs(steps - usual).max() <= _UNEVEN * usual:
            return volumes[:count]
        taken = taken[~np.isin(taken, list(volumes[count - 1]))]
    return volumes[:1]


def _common_values(parts: Sequence[Sequence[_Volume]]) -> dict[str, frozenset[Hashable]]:
    """By kind, the values that every part has; a part has those of all volumes at its places."""
    return {
        kind: frozenset.intersection(*(frozenset(value(v[0]) for v in part) for part in parts))
        for kind, value in _KINDS.items()
    }


def _missing(volume: _Volume, count: int, stack: _Stack) -> MissingSlices:
    kinds = [k for k, value in _KINDS.items() if value(volume[0]) not in stack.common[k]]
    others = list_text(kinds) or "acquisition number"
    text = f"{count} of {stack.slices} slices of its series, as the others have another {others}"
    return MissingSlices(text, 1 - count / stack.slices)
