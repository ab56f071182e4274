"""Whether one scan shows the places of the lesions of another.

A lesion that lies outside the field of view of the later scan, or in a hole of its brain
extraction, is not gone; nor is one new that the earlier scan could not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from smalltumor.data.brain.brain_mask import brain_masks
from smalltumor.data.brain.coarse_images import coarse_images
from smalltumor.data.case import REFERENCE, Case
from smalltumor.follow_up.distances import TOLERANCE_MM
from smalltumor.follow_up.matching import ChangeKind, LesionChange, ranked
from smalltumor.geometry.grid import Affine, Grid
from smalltumor.labels.masks import Mask
from smalltumor.measures import LesionMeasures

MIN_COVERAGE = 0.8
"""Share of the voxels of a lesion that the other scan has to show. A part that is missing then
changes the volume by half of `CHANGED_VOLUME` at most."""


class Coverage:
    """The places that a scan shows.

    Parameters
    ----------
    shown : (i, j, k) bool array
    grid : Grid
        Of `shown`.
    """

    def __init__(self, shown: Mask, grid: Grid) -> None:
        self._shown, self._grid = shown, grid

    @classmethod
    def of(cls, case: Case) -> Coverage:
        """Where T1CE differs from its background, and `TOLERANCE_MM` around.

        Holes inside the brain are not filled: a brain extraction may have left out a lesion.
        """
        image = case.volumes[REFERENCE]
        coarse = coarse_images({REFERENCE: image}, case.grid.spacing)
        (mask,) = brain_masks([image], [coarse.backgrounds[REFERENCE]])
        return cls(_dilated(mask, case.grid), case.grid)

    def share(self, lesions: Sequence[LesionMeasures], matrix: Affine) -> float:
        """Share of the voxels of lesions of another scan that this scan shows; 1 without lesions.

        Parameters
        ----------
        lesions : sequence of LesionMeasures
        matrix : (4, 4) float64
            From points of the other scan to points of this one, patient coordinates in mm, RAS.
        """
        shown = voxels = 0
        for each in lesions:
            indices, grid = each.lesion.indices, each.lesion.grid
            assert indices is not None and grid is not None
            to_voxels = np.linalg.inv(self._grid.affine) @ matrix @ grid.affine
            places = np.rint(indices @ to_voxels[:3, :3].T + to_voxels[:3, 3]).astype(np.int64)
            inside = places[np.all((places >= 0) & (places < self._shown.shape), axis=1)]
            shown += int(np.count_nonzero(self._shown[tuple(inside.T)]))
            voxels += len(indices)
        return shown / voxels if voxels else 1.0


def with_coverage(
    changes: Sequence[LesionChange],
    earlier: Coverage,
    current: Coverage,
    earlier_to_current: Affine,
) -> list[LesionChange]:
    """Changes, of which those that a scan does not show well enough are `NOT_COMPARABLE`.

    Parameters
    ----------
    changes : sequence of LesionChange
        From the earlier to the current scan.
    earlier, current : Coverage
        Of the two scans.
    earlier_to_current : (4, 4) float64
        From points of the earlier scan to points of the current one.
    """
    current_to_earlier = np.asarray(np.linalg.inv(earlier_to_current), dtype=np.float64)
    with_shares = []
    for change in changes:
        of_current = earlier.share(change.current, current_to_earlier)
        of_earlier = current.share(change.earlier, earlier_to_current)
        with_share = replace(change, shown_earlier=of_current, shown_current=of_earlier)
        if min(of_current, of_earlier) < MIN_COVERAGE:
            with_share = replace(with_share, kind=ChangeKind.NOT_COMPARABLE)
        with_shares.append(with_share)
    return ranked(with_shares)


def _dilated(mask: Mask, grid: Grid) -> Mask:
    """The mask and what is within `TOLERANCE_MM` of it along an axis, for inexact registrations."""
    dilated = mask.copy()
    for axis, edge in enumerate(grid.spacing):
        grown = dilated.copy()
        ahead, behind = np.moveaxis(dilated, axis, 0), np.moveaxis(grown, axis, 0)
        for step in range(1, int(TOLERANCE_MM / edge) + 1):
            behind[step:] |= ahead[:-step]
            behind[:-step] |= ahead[step:]
        dilated = grown
    return dilated
