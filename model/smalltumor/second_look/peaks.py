"""Peaks: local maxima of enhancement and of the probability of ET, which may be lesions."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.boxes import Box, bounding_box, padded
from smalltumor.labels.regions import TissueClass
from smalltumor.second_look.coarse_maps import CoarseMaps, Map

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask

SCALES = (0.7, 1.2, 2.0, 3.4)
"""Standard deviations of the Gaussians, in map voxels. The difference of neighbouring ones has its
maximum at the centre of a ball of some 1.5 times the radius, 2 to 7 mm here."""

MIN_BLOB = 0.4
"""Least difference of Gaussians at a peak of enhancement, in standard deviations of
normal-appearing brain."""

MIN_LOG_ODDS = -6.0
"""Least logarithm of the odds of ET against every other class of a peak of the probability."""

MAX_PEAKS = 150
"""Peaks of each kind that are kept, the highest."""

_MARGIN = 3
"""Voxels around the brain in which peaks are measured: mirrored places are up to 2 away from it."""

_IN_BRAIN = 0.7
"""Least part of a peak's voxel, and of its surroundings, that is in the brain."""


@dataclass(frozen=True)
class Peaks:
    """Peaks of a case.

    Parameters
    ----------
    voxels : (n, 3) int array
        Voxels of the maps.
    blob : (l, p, s) float32 array
        The largest difference of Gaussians over `SCALES`; 0 far from the brain.
    scale : (l, p, s) int8 array
        The number of the scale at which it is largest.
    surroundings : (l, p, s) float32 array
        Part of the wide surroundings of each voxel that is in the brain.
    """

    voxels: npt.NDArray[np.int64]
    blob: Map
    scale: npt.NDArray[np.int8]
    surroundings: Map


def find_peaks(maps: CoarseMaps) -> Peaks:
    """Find the peaks outside the mask of ET, several millimetres apart."""
    box = _around_brain(maps)
    smoothed, surroundings = _smoothed(maps, box)
    scale, blob = _largest([one - two for one, two in pairwise(smoothed)])
    allowed = (maps.brain[box] > _IN_BRAIN) & (surroundings > _IN_BRAIN)
    allowed &= ~maps.et[box]
    odds = log_odds(maps.probabilities[(slice(None), *box)])
    found = [
        _highest(blob, allowed & (blob > MIN_BLOB)),
        _highest(odds, allowed & (odds > MIN_LOG_ODDS)),
    ]
    voxels = _apart(np.concatenate(found), blob) + [span.start for span in box]
    return Peaks(voxels, *(_in_maps(values, box, maps) for values in (blob, scale, surroundings)))


def log_odds(probabilities: Map) -> Map:
    """Logarithm of ET's probability over that of the most probable other class (class, ...)."""
    tiny = np.float32(1e-6)
    et = probabilities[TissueClass.ET]
    other = np.maximum.reduce(probabilities[: TissueClass.ET])  # ET is the last class
    return np.asarray(np.log((et + tiny) / (other + tiny)))


def _largest(volumes: Sequence[Map]) -> tuple[npt.NDArray[np.int8], Map]:
    """Which volume is the largest in each voxel, the first one of equals, and its value.

    One by one, which takes a fifth of the time of argmax over stacked volumes.
    """
    number, value = np.zeros(volumes[0].shape, dtype=np.int8), volumes[0].copy()
    for n, volume in enumerate(volumes[1:], start=1):
        number[volume > value] = n
        np.maximum(value, volume, out=value)
    return number, value


def _smoothed(maps: CoarseMaps, box: Box) -> tuple[list[Map], Map]:
    """Enhancement of the brain alone at each of `SCALES`, and the share of brain at the last."""
    from scipy import ndimage

    brain = maps.brain[box]
    weighted = maps.enhancement[box] * brain

    def smooth(volume: Map, scale: float) -> Map:
        return np.asarray(ndimage.gaussian_filter(volume, scale, mode="nearest", truncate=2.5))

    with ThreadPoolExecutor(2) as pool:  # the filters run outside Python's lock
        shares = list(pool.map(smooth, [brain] * len(SCALES), SCALES))
        sums = list(pool.map(smooth, [weighted] * len(SCALES), SCALES))
    images = [
        (total / np.maximum(share, np.float32(0.1))).astype(np.float32, copy=False)
        for total, share in zip(sums, shares, strict=True)
    ]
    return images, shares[-1]


def _around_brain(maps: CoarseMaps) -> Box:
    """The box that peaks, their neighbours and their mirrored places are in.

    The maps are 0 outside it, also beyond its faces, so that the filters give the same in it.
    """
    return padded(bounding_box(maps.brain > 0), [_MARGIN] * 3, maps.brain.shape)


def _in_maps(values: npt.NDArray[Any], box: Box, maps: CoarseMaps) -> npt.NDArray[Any]:
    """Values of a box in the maps, and 0 around it."""
    whole = np.zeros(maps.brain.shape, dtype=values.dtype)
    whole[box] = values
    return whole


def _highest(values: Map, allowed: Mask) -> npt.NDArray[np.int64]:
    where = np.argwhere(allowed & (values == _neighbourhood_maximum(values)))
    order = np.argsort(-values[tuple(where.T)], kind="stable")
    return where[order[:MAX_PEAKS]]


def _neighbourhood_maximum(values: Map) -> Map:
    """The largest value among a voxel and its 26 neighbours.

    As ``scipy.ndimage.maximum_filter(values, 3)`` in a tenth of the time.
    """
    for axis in range(3):
        lines, result = np.moveaxis(values, axis, 0), values.copy()
        largest = np.moveaxis(result, axis, 0)
        np.maximum(largest[1:], lines[:-1], out=largest[1:])
        np.maximum(largest[:-1], lines[1:], out=largest[:-1])
        values = result
    return values


def _apart(voxels: npt.NDArray[np.int64], blob: Map) -> npt.NDArray[np.int64]:
    """Peaks without those next to a peak of a larger blob: within two voxels of the maps."""
    from scipy.spatial import cKDTree

    if not len(voxels):
        return voxels
    order = np.argsort(-blob[tuple(voxels.T)], kind="stable")
    voxels = np.unique(voxels[order], axis=0)
    voxels = voxels[np.argsort(-blob[tuple(voxels.T)], kind="stable")]
    keep = np.ones(len(voxels), dtype=bool)
    for number, near in enumerate(cKDTree(voxels).query_ball_point(voxels, 2.0)):
        if keep[number]:
            keep[[other for other in near if other > number]] = False
    return voxels[keep]
