"""Whether T1CE of the other scan is bright at the place of a new lesion, or of one that is gone.

A lesion is new if the earlier mask does not have it, and gone if the current one does not. If the
image of that scan shows it all the same, its mask may lack it, and it is neither new nor gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from smalltumor.data.brain.brain_mask import brain_masks
from smalltumor.data.brain.coarse_images import coarse_images
from smalltumor.data.case import REFERENCE, Case
from smalltumor.follow_up.matching import ChangeKind, LesionChange
from smalltumor.geometry.grid import Affine
from smalltumor.labels.masks import Classes, Mask
from smalltumor.labels.regions import TissueClass
from smalltumor.lesions import Lesion
from smalltumor.progress import ProgressReporter

MIN_SHARE = 0.5
"""Share of the contrast in one scan from which the other scan shows a lesion, too."""

RARE = 0.02
"""Share of other places of the brain that may have as much contrast as a lesion: vessels do."""

MATCHING = "matching lesions"
"""The step of a comparison that this is part of."""

_AROUND_MM = 2.0, 5.0
"""Distances from a lesion between which its surroundings lie; nearer voxels may be its edge."""

_PLACES, _MAX_POINTS, _MIN_POINTS = 200, 300, 8
_MIN_IN_BRAIN = 0.5
_POINTS_AT_A_TIME = 10_000

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Place:
    """Points of a lesion and of its surroundings, (n, 3), patient mm, RAS."""

    inside: Points
    around: Points

    def moved(self, matrix: Affine) -> _Place:
        """The same place in another scan."""
        inside, around = (
            points @ matrix[:3, :3].T + matrix[:3, 3] for points in (self.inside, self.around)
        )
        return _Place(inside, around)


class LocalContrast:
    """How much brighter places of a scan are in T1CE than their surroundings.

    Parameters
    ----------
    case : Case
    classes : (i, j, k) uint8 array
        Tissue classes on its grid.
    """

    def __init__(self, case: Case, classes: Classes) -> None:
        self._image, self._classes, self._grid = case.volumes[REFERENCE], classes, case.grid

    def place_of(self, lesion: Lesion) -> _Place:
        """A lesion of this scan, and what is around it that is no enhancing tumour."""
        from scipy.ndimage import distance_transform_edt

        assert lesion.indices is not None
        near, far = _AROUND_MM
        margin = np.ceil(far / self._grid.spacing).astype(np.int64)
        start = np.maximum(lesion.indices.min(axis=0) - margin, 0)
        stop = np.minimum(lesion.indices.max(axis=0) + 1 + margin, self._classes.shape)
        outside = np.ones(stop - start, dtype=bool)
        outside[tuple((lesion.indices - start).T)] = False
        mm = distance_transform_edt(outside, sampling=self._grid.spacing)
        box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
        around = (mm > near) & (mm <= far) & (self._classes[box] != TissueClass.ET)
        return _Place(self._points(lesion.indices), self._points(np.argwhere(around) + start))

    def at(self, place: _Place) -> float | None:
        """Contrast of a place, in units of the brain's interquartile range.

        None if it is not larger than that of nearly all other places of the brain, or is not known.
        """
        (contrast,) = self._contrasts(place, np.zeros((1, 3)))
        if np.isnan(contrast) or not len(self._other_places):
            return None
        to_others = self._other_places - place.inside.mean(axis=0)
        others = self._contrasts(place, to_others)
        others = others[np.isfinite(others)]
        if len(others) < _PLACES / 4 or not contrast > np.quantile(others, 1 - RARE):
            return None
        return float(contrast / self._spread)

    def _contrasts(self, place: _Place, shifts: Points) -> npt.NDArray[np.float64]:
        """Mean inside less mean around, of a place shifted in mm; NaN where the brain ends."""
        inside = self._means(place.inside, shifts, self._brain)
        around = self._means(place.around, shifts, self._brain_without_et)
        return np.asarray(inside - around, dtype=np.float64)

    def _means(self, points: Points, shifts: Points, counted: Mask) -> npt.NDArray[np.float64]:
        """Mean of T1CE over points that are counted, for each shift; NaN of too few."""
        # A few shifts at a time: what is computed of them stays in the processor's cache.
        step = max(1, _POINTS_AT_A_TIME // max(1, len(points)))
        parts = [shifts[start : start + step] for start in range(0, len(shifts), step)]
        return np.concatenate([self._means_of_few(points, part, counted) for part in parts])

    def _means_of_few(
        self, points: Points, shifts: Points, counted: Mask
    ) -> npt.NDArray[np.float64]:
        from scipy.ndimage import map_coordinates

        moved = (points[None] + shifts[:, None]).reshape(-1, 3)
        to_voxels = self._to_voxels
        voxels = np.ascontiguousarray((moved @ to_voxels[:3, :3].T + to_voxels[:3, 3]).T)
        counts = _at_nearest(counted, voxels).reshape(len(shifts), -1)
        number = counts.sum(axis=1)
        is_enough = number >= max(_MIN_IN_BRAIN * len(points), 1)
        means = np.full(len(shifts), np.nan)
        if is_enough.any():
            voxels = voxels.reshape(3, len(shifts), -1)[:, is_enough]
            values = map_coordinates(
                self._image, voxels, output=np.float64, order=1, mode="nearest"
            )
            sums = np.where(counts[is_enough], values, 0).sum(axis=1)
            means[is_enough] = sums / number[is_enough]
        return means

    @cached_property
    def _to_voxels(self) -> Affine:
        return np.asarray(np.linalg.inv(self._grid.affine), dtype=np.float64)

    @cached_property
    def _brain(self) -> Mask:
        coarse = coarse_images({REFERENCE: self._image}, self._grid.spacing)
        (brain,) = brain_masks([self._image], [coarse.backgrounds[REFERENCE]])
        return brain

    @cached_property
    def _brain_without_et(self) -> Mask:
        return np.asarray(self._brain & (self._classes != TissueClass.ET))

    @cached_property
    def _other_places(self) -> Points:
        """Points of the brain outside the tumour."""
        normal = np.flatnonzero(self._brain & (self._classes == TissueClass.BACKGROUND))
        if not normal.size:
            return np.empty((0, 3))
        chosen = np.random.default_rng(0).choice(normal, _PLACES)
        return self._points(np.stack(np.unravel_index(chosen, self._brain.shape), axis=-1))

    @cached_property
    def _spread(self) -> float:
        values = np.asarray(self._image[self._brain][::7], dtype=np.float64)
        low, high = np.percentile(values, (25, 75))
        return float(high - low) or 1.0

    def _points(self, voxels: npt.NDArray[np.int64]) -> Points:
        """Centres of some of the voxels, patient mm."""
        step = max(1, len(voxels) // _MAX_POINTS)
        affine = self._grid.affine
        return np.asarray(voxels[::step] @ affine[:3, :3].T + affine[:3, 3], dtype=np.float64)


def _at_nearest(mask: Mask, voxels: Points) -> Mask:
    """A mask at the nearest of its voxels to positions, (3, n); False outside of it."""
    nearest = np.rint(voxels).astype(np.int64)
    is_inside = np.ones(voxels.shape[1], dtype=bool)
    for index, size in zip(nearest, mask.shape, strict=True):
        is_inside &= (index >= 0) & (index < size)
        np.clip(index, 0, size - 1, out=index)
    return np.asarray(mask[tuple(nearest)] & is_inside)


def with_contrast(
    changes: Sequence[LesionChange],
    earlier: LocalContrast,
    current: LocalContrast,
    earlier_to_current: Affine,
    progress: ProgressReporter | None = None,
) -> list[LesionChange]:
    """Changes, which tell whether the other scan is bright at the place of a new or gone lesion.

    Parameters
    ----------
    changes : sequence of LesionChange
        From the earlier to the current scan.
    earlier, current : LocalContrast
        Of the two scans.
    earlier_to_current : (4, 4) float64
        From points of the earlier scan to points of the current one.
    progress : ProgressReporter, optional
        A lesion takes some hundredths of a second.

    Raises
    ------
    Cancelled
    """
    progress = progress or ProgressReporter()
    current_to_earlier = np.asarray(np.linalg.inv(earlier_to_current), dtype=np.float64)
    with_brightness = []
    for number, change in enumerate(changes):
        progress.update(number / len(changes), MATCHING)
        if change.kind is ChangeKind.NEW:
            place = current.place_of(change.current[0].lesion)
            is_bright = _is_bright_in_both(place, current, earlier, current_to_earlier)
            change = replace(change, bright_earlier=is_bright)
        elif change.kind is ChangeKind.GONE:
            place = earlier.place_of(change.earlier[0].lesion)
            is_bright = _is_bright_in_both(place, earlier, current, earlier_to_current)
            change = replace(change, bright_current=is_bright)
        with_brightness.append(change)
    return with_brightness


def _is_bright_in_both(
    place: _Place, own: LocalContrast, other: LocalContrast, own_to_other: Affine
) -> bool:
    """Whether a place of a lesion is bright in its own scan, and nearly as bright in the other."""
    if len(place.around) < _MIN_POINTS:
        return False
    contrast = own.at(place)
    found = None if contrast is None else other.at(place.moved(own_to_other))
    return contrast is not None and found is not None and found >= MIN_SHARE * contrast
