"""Growing a lesion from one of its voxels, the seed.

It is grown by its enhancement, and by the probability of ET if there is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.labels.regions import TissueClass
from smalltumor.second_look.coarse_maps import CoarseMaps, maps_beside

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.geometry.boxes import Box
    from smalltumor.labels.masks import Classes, Mask
    from smalltumor.lesions import ProbabilityLookup

REACH_MM = 12.0
"""Farthest distance of a grown voxel from the seed."""

FRACTIONS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Thresholds that are tried, between the surroundings (0) and the maximum (1)."""

MIN_CONTRAST = 1.5
"""Least contrast of a grown lesion to its surroundings, in `CoarseMaps.deviation`."""

MIN_PROBABILITY = 0.05
"""Smallest maximum of the probability of ET near the seed by which voxels are grown."""

_SEED_MM = 2.5
"""The maximum is that of the voxels within this distance of the seed."""

_SMOOTHING = 0.7
"""Standard deviation of the Gaussian, in voxels, that keeps noise from being grown."""

_IN_BRAIN = 0.5
"""Least part of a voxel of the maps that is brain."""


@dataclass(frozen=True)
class LesionGrower:
    """What lesions of a case are grown from.

    Parameters
    ----------
    case : Case
    maps : CoarseMaps
        Of the case.
    lookup : callable or None
        Class probabilities at voxels of the case's grid; without them, lesions are grown by their
        enhancement alone.
    """

    case: Case = field(repr=False)
    maps: CoarseMaps = field(repr=False)
    lookup: ProbabilityLookup | None = field(repr=False)

    @classmethod
    def beside(cls, case: Case, classes: Classes) -> LesionGrower | None:
        """Prepare growing beside a mask of which no probabilities are known.

        Parameters
        ----------
        case : Case
        classes : (i, j, k) uint8 array
            Tissue classes of the mask on the case's grid.

        Returns
        -------
        LesionGrower or None
            None if T1CE or T1 is missing, or there is too little brain.
        """
        maps = maps_beside(case, classes)
        return None if maps is None else cls(case, maps, None)

    def grow(
        self, voxel: npt.ArrayLike, mask: Mask | None = None, *, apart: bool = False
    ) -> npt.NDArray[np.int64]:
        """Grow a lesion at a voxel of the case's grid; see the function `grow`."""
        return grow(self.case, self.maps, voxel, mask, self.lookup, apart=apart)


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
    surroundings and the maximum near the seed. Voxels connected to the maximum of the probability
    near the seed, with at least half of it, are added, unless that is below `MIN_PROBABILITY` or
    they are another 26-connected component.
    Nothing is grown by enhancement if every threshold reaches too far, or its contrast is below
    `MIN_CONTRAST`.

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
    around = _surroundings_of(case, maps, seed, taken, apart=apart)
    if around is None:
        return np.zeros((0, 3), dtype=np.int64)
    grown = _enhancing(case, maps, around)
    if lookup is not None:
        grown = _joined(grown, _probable(lookup, around))
    return np.asarray(np.argwhere(grown) + around.start)


@dataclass(frozen=True)
class _Surroundings:
    """A box (i, j, k) of the case's grid around a seed, and what may be grown in it.

    Parameters
    ----------
    start : (3,) int64 array
        First voxel of the box on the case's grid.
    box : three slices
        The box on the case's grid.
    allowed : bool array
        Voxels of the brain within `REACH_MM` that are not taken.
    near : bool array
        Those of them in which the maximum is looked for.
    far : bool array
        Those of them that tell what normal tissue looks like here.
    edge : bool array
        Voxels that a lesion does not reach.
    """

    start: npt.NDArray[np.int64]
    box: Box
    allowed: Mask
    near: Mask
    far: Mask
    edge: Mask


def _surroundings_of(
    case: Case, maps: CoarseMaps, seed: npt.ArrayLike, taken: Mask | None, *, apart: bool
) -> _Surroundings | None:
    """What is around a seed; None if it is outside the image, or too little of it is brain."""
    from scipy import ndimage

    place = np.rint(np.asarray(seed, dtype=np.float64)).astype(np.int64)
    reach = case.grid.voxel.reach(REACH_MM)
    start = np.maximum(place - reach, 0)
    stop = np.minimum(place + reach + 1, case.grid.shape)
    if np.any(start >= stop):
        return None
    i, j, k = (slice(int(first), int(last)) for first, last in zip(start, stop, strict=True))
    box = i, j, k
    shape = tuple((stop - start).tolist())
    distance = _distances(shape, place - start, case.grid.affine)
    allowed = (distance <= REACH_MM) & _brain(maps, start, shape)
    edge = distance > REACH_MM - float(case.grid.spacing.max())
    if taken is not None:
        allowed &= ~taken[box]
        if apart:
            edge |= np.asarray(ndimage.binary_dilation(taken[box], np.ones((3, 3, 3))))
    near = allowed & (distance <= _SEED_MM)
    far = allowed & (distance > REACH_MM / 2)
    if not near.any() or not far.any():
        return None
    return _Surroundings(start=start, box=box, allowed=allowed, near=near, far=far, edge=edge)


def _enhancing(case: Case, maps: CoarseMaps, around: _Surroundings) -> Mask:
    """The lesion by its enhancement; empty if that is little."""
    from scipy import ndimage

    contrast = np.asarray(case.volumes["t1ce"][around.box], dtype=np.float32)
    contrast = contrast - np.float32(maps.slope) * case.volumes["t1"][around.box].astype(np.float32)
    contrast = ndimage.gaussian_filter(contrast, _SMOOTHING)
    base = float(np.median(contrast[around.far]))
    grown = _around_maximum(contrast, around, base)
    if grown.any() and contrast[grown].mean() < base + MIN_CONTRAST * maps.deviation:
        grown[:] = False
    return grown


def _around_maximum(values: npt.NDArray[np.float32], around: _Surroundings, base: float) -> Mask:
    """Voxels connected to the maximum near the seed, above the first threshold that holds.

    The mask is empty if every threshold reaches the edge.
    """
    from scipy import ndimage

    at = np.unravel_index(int(np.where(around.near, values, -np.inf).argmax()), values.shape)
    maximum = float(values[at])
    if maximum <= base:
        return np.zeros(values.shape, dtype=bool)
    for fraction in FRACTIONS:
        labels, _ = ndimage.label(around.allowed & (values >= base + fraction * (maximum - base)))
        grown = np.asarray(labels == labels[at])
        if not np.any(grown & around.edge):
            return grown
    return np.zeros(values.shape, dtype=bool)


def _probable(lookup: ProbabilityLookup, around: _Surroundings) -> Mask:
    """Voxels connected to the maximum near the seed, with at least half of its probability."""
    allowed = around.allowed
    et = np.zeros(allowed.shape, dtype=np.float32)
    et[allowed] = lookup(np.argwhere(allowed) + around.start)[TissueClass.ET]
    if float(et[around.near].max()) < MIN_PROBABILITY:
        return np.zeros(allowed.shape, dtype=bool)
    return _around_maximum(et, around, 0.0)


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


def _brain(maps: CoarseMaps, start: npt.NDArray[np.int64], shape: tuple[int, ...]) -> Mask:
    """Voxels of a box on the case's grid that are in the brain."""
    voxels = np.indices(shape).reshape(3, -1).T + start
    places = np.rint(maps.from_source(voxels)).astype(np.int64)
    inside = np.all((places >= 0) & (places < maps.brain.shape), axis=1)
    result = np.zeros(len(voxels), dtype=bool)
    result[inside] = maps.brain[tuple(places[inside].T)] > _IN_BRAIN
    return result.reshape(shape)
