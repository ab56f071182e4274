"""Growing a lesion from one of its voxels by its enhancement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.labels.regions import TissueClass
from smalltumor.second_look.coarse_maps import CoarseMaps

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.labels.masks import Mask
    from smalltumor.lesions import ProbabilityLookup

REACH_MM = 12.0
"""Farthest distance of a grown voxel from the seed."""

FRACTIONS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Thresholds that are tried, between the surroundings (0) and the peak (1)."""

LEAST_CONTRAST = 1.5
"""Least contrast of a grown lesion to its surroundings, in `CoarseMaps.deviation`."""

LEAST_PROBABILITY = 0.05
"""Least probability of ET at a peak by which voxels are grown."""

_SEED_MM = 2.5
"""The peak is the brightest voxel within this distance of the seed."""

_SMOOTHING = 0.7
"""Standard deviation of the Gaussian, in voxels, that keeps noise from being grown."""

_IN_BRAIN = 0.5


def grow(
    case: Case,
    maps: CoarseMaps,
    seed: npt.ArrayLike,
    taken: Mask | None = None,
    lookup: ProbabilityLookup | None = None,
    *,
    apart: bool = False,
) -> npt.NDArray[np.int64]:
    """Grow a lesion around a seed, by its enhancement and by the probability of ET.

    The threshold on T1CE less its part that T1 explains is the lowest of `FRACTIONS` at which the
    connected voxels stay within `REACH_MM`; at the first, it is half way between the median of the
    surroundings and the peak. Connected voxels with at least half the probability of the peak are
    added, unless the peak is below `LEAST_PROBABILITY` or they are another 26-connected component.
    Nothing is grown by enhancement if every
    threshold reaches too far, or its contrast is below `LEAST_CONTRAST`.

    Parameters
    ----------
    case : Case
        With T1CE and T1.
    maps : CoarseMaps
        Of the case.
    seed : (3,) array
        Voxel index on the case's grid.
    taken : (i, j, k) bool array, optional
        Voxels that are not added, such as the present mask.
    lookup : callable, optional
        Class probabilities at voxels of the case's grid.
    apart : bool
        Whether voxels next to `taken` are too far, so that the threshold rises until the lesion
        is apart from it.

    Returns
    -------
    (n, 3) int64 array
        Voxel indices on the case's grid in scan order; empty if nothing enhances there.
    """
    from scipy import ndimage

    place = np.rint(np.asarray(seed, dtype=np.float64)).astype(np.int64)
    reach = case.grid.voxel.reach(REACH_MM)
    low = np.maximum(place - reach, 0)
    high = np.minimum(place + reach + 1, case.grid.shape)
    if np.any(low >= high):
        return np.zeros((0, 3), dtype=np.int64)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    contrast = np.asarray(case.volumes["t1ce"][box], dtype=np.float32)
    contrast = contrast - np.float32(maps.slope) * case.volumes["t1"][box].astype(np.float32)
    contrast = ndimage.gaussian_filter(contrast, _SMOOTHING)
    distance = _distances(contrast.shape, place - low, case.grid.affine)
    allowed = (distance <= REACH_MM) & _brain(maps, low, contrast.shape)
    if taken is not None:
        allowed &= ~taken[box]
    near = allowed & (distance <= _SEED_MM)
    surroundings = allowed & (distance > REACH_MM / 2)
    if not near.any() or not surroundings.any():
        return np.zeros((0, 3), dtype=np.int64)
    edge = distance > REACH_MM - float(case.grid.spacing.max())
    if apart and taken is not None:
        edge |= np.asarray(ndimage.binary_dilation(taken[box], np.ones((3, 3, 3))))
    base = float(np.median(contrast[surroundings]))
    grown = _around_peak(contrast, near, allowed, edge, base)
    if grown.any() and contrast[grown].mean() < base + LEAST_CONTRAST * maps.deviation:
        grown[:] = False
    if lookup is not None:
        grown = _joined(grown, _probable(lookup, low, near, allowed, edge))
    return np.asarray(np.argwhere(grown) + low)


def _around_peak(
    values: npt.NDArray[np.float32], near: Mask, allowed: Mask, edge: Mask, base: float
) -> Mask:
    """Voxels connected to the highest one near the seed, above the first threshold that holds.

    None if every threshold reaches the edge."""
    from scipy import ndimage

    peak_at = np.unravel_index(int(np.where(near, values, -np.inf).argmax()), values.shape)
    peak = float(values[peak_at])
    if peak <= base:
        return np.zeros(values.shape, dtype=bool)
    for fraction in FRACTIONS:
        labels, _ = ndimage.label(allowed & (values >= base + fraction * (peak - base)))
        grown = np.asarray(labels == labels[peak_at])
        if not np.any(grown & edge):
            return grown
    return np.zeros(values.shape, dtype=bool)


def _probable(
    lookup: ProbabilityLookup, low: npt.NDArray[np.int64], near: Mask, allowed: Mask, edge: Mask
) -> Mask:
    """Connected voxels with at least half the probability of the peak near the seed."""
    et = np.zeros(allowed.shape, dtype=np.float32)
    et[allowed] = lookup(np.argwhere(allowed) + low)[TissueClass.ET]
    if float(et[near].max()) < LEAST_PROBABILITY:
        return np.zeros(allowed.shape, dtype=bool)
    return _around_peak(et, near, allowed, edge, 0.0)


def _joined(enhancing: Mask, probable: Mask) -> Mask:
    """Both parts, if they are one lesion; else the one that enhances."""
    from scipy import ndimage

    both = enhancing | probable
    _, components = ndimage.label(both, np.ones((3, 3, 3)))
    return enhancing if enhancing.any() and components > 1 else both


def _distances(
    shape: tuple[int, ...], centre: npt.NDArray[np.int64], affine: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Distance of each voxel of a box from one of them, in mm."""
    offsets = np.indices(shape).reshape(3, -1).T - centre
    return np.asarray(np.linalg.norm(offsets @ affine[:3, :3].T, axis=1)).reshape(shape)


def _brain(maps: CoarseMaps, low: npt.NDArray[np.int64], shape: tuple[int, ...]) -> Mask:
    """Voxels of a box on the case's grid that are in the brain."""
    voxels = np.indices(shape).reshape(3, -1).T + low
    places = np.rint(maps.from_source(voxels)).astype(np.int64)
    inside = np.all((places >= 0) & (places < maps.brain.shape), axis=1)
    result = np.zeros(len(voxels), dtype=bool)
    result[inside] = maps.brain[tuple(places[inside].T)] > _IN_BRAIN
    return result.reshape(shape)
