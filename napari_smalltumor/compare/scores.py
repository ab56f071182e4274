"""Scores of one region against a reference: volumes, Dice, and the lesions of both."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from smalltumor.data.midsagittal_plane import MidsagittalPlane
from smalltumor.evaluation.metrics.lesionwise import match_lesions
from smalltumor.evaluation.metrics.mirrored_agreement import (
    MirroredAgreement,
    mirrored_agreement,
)
from smalltumor.evaluation.metrics.voxelwise import dice
from smalltumor.geometry.grid import Grid
from smalltumor.labels.components import Integers, connected_components
from smalltumor.labels.masks import Mask
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion
from smalltumor.lesions.measure import measure_lesion


class LesionStatus(StrEnum):
    """How a lesion of one mask relates to the other mask."""

    MISSED = "missed"
    """In the reference, and not in the segmentation."""
    FALSE = "false"
    """In the segmentation, and not in the reference."""
    FOUND = "found"
    """In both."""


@dataclass(frozen=True)
class ComparedLesion:
    """A lesion of the reference, or a false one of the segmentation.

    Parameters
    ----------
    status : LesionStatus
    lesion : Lesion
    dice : float or None
        Of a lesion that was found, and of all components that are matched with it.
    """

    status: LesionStatus
    lesion: Lesion
    dice: float | None = None


@dataclass(frozen=True)
class RegionComparison:
    """A region of a segmentation and of a reference.

    Parameters
    ----------
    segmentation_ml, reference_ml : float or None
        Volumes in ml; None if a side does not have the region.
    dice : float or None
        None unless both sides have the region; 1 if it is empty in both.
    lesions : tuple of ComparedLesion
        Missed ones first, then false ones, then found ones; each by ascending size.
    mirrored : MirroredAgreement or None
        If the sides would agree if one were mirrored, and do not as they are.
    reference_components : int
        Of the region; more than its lesions if near ones count as one.
    """

    segmentation_ml: float | None
    reference_ml: float | None
    dice: float | None = None
    lesions: tuple[ComparedLesion, ...] = ()
    mirrored: MirroredAgreement | None = None
    reference_components: int = 0

    @property
    def difference_ml(self) -> float | None:
        """Volume of the segmentation minus that of the reference, ml."""
        if self.segmentation_ml is None or self.reference_ml is None:
            return None
        return self.segmentation_ml - self.reference_ml

    @property
    def reference_lesions(self) -> int:
        """Number of lesions of the reference, missed or found."""
        return self.count(LesionStatus.MISSED) + self.count(LesionStatus.FOUND)

    def count(self, status: LesionStatus) -> int:
        """Number of lesions with a status."""
        return sum(compared.status is status for compared in self.lesions)


def compare_region(
    segmentation: Mask | None,
    reference: Mask | None,
    grid: Grid,
    region: Region,
    *,
    threshold: int,
    plane: MidsagittalPlane | None = None,
) -> RegionComparison:
    """Compare the masks of a region.

    Lesions are matched as `smalltumor evaluate` matches them, see
    `smalltumor.evaluation.metrics.lesionwise.match_lesions`; those that are too small to be scored
    there are included.

    Parameters
    ----------
    segmentation, reference : (i, j, k) bool array or None
        The region in the segmentation and in the reference; None if a side does not have it.
    grid : Grid
    region : Region
    threshold : int
        Lesions below this volume in mm3 are small.
    plane : MidsagittalPlane, optional
        Of the brain; without it, lesions have no side.
    """
    volumes = _ml(segmentation, grid), _ml(reference, grid)
    if segmentation is None or reference is None:
        return RegionComparison(*volumes)
    return RegionComparison(
        *volumes,
        dice=dice(segmentation, reference),
        lesions=_lesions(segmentation, reference, grid, region, threshold, plane),
        mirrored=mirrored_agreement(reference, segmentation, grid),
        reference_components=len(connected_components(reference)),
    )


def _lesions(
    segmentation: Mask,
    reference: Mask,
    grid: Grid,
    region: Region,
    threshold: int,
    plane: MidsagittalPlane | None,
) -> tuple[ComparedLesion, ...]:
    matches = match_lesions(segmentation, reference, grid.voxel.edges)

    def compared(status: LesionStatus, voxels: Integers, score: float | None) -> ComparedLesion:
        lesion = measure_lesion(0, voxels, grid, region, threshold, plane=plane)
        return ComparedLesion(status, lesion, score)

    lesions = [
        compared(LesionStatus.FALSE, matches.predicted_voxels[number - 1], None)
        for number in matches.false_components
    ]
    for number, voxels in enumerate(matches.lesion_voxels, start=1):
        if len(matches.assigned[number - 1]):
            lesions.append(compared(LesionStatus.FOUND, voxels, matches.lesion_dice(number)))
        else:
            lesions.append(compared(LesionStatus.MISSED, voxels, None))
    order = list(LesionStatus)
    return tuple(sorted(lesions, key=lambda x: (order.index(x.status), x.lesion.voxels)))


def _ml(mask: Mask | None, grid: Grid) -> float | None:
    return None if mask is None else int(np.count_nonzero(mask)) * grid.voxel_volume / 1000
