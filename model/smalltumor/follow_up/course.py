"""The lesions of a patient's scans over time, and what each scan is assessed by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smalltumor.follow_up.coverage import Coverage, with_coverage
from smalltumor.follow_up.distances import lesion_distances
from smalltumor.follow_up.local_contrast import MATCHING, LocalContrast, with_contrast
from smalltumor.follow_up.matching import LesionChange, match_lesions
from smalltumor.follow_up.response_measures import ResponseMeasures
from smalltumor.geometry.grid import Affine
from smalltumor.lesions.axial_diameters import AxialDiameters
from smalltumor.measures import CaseMeasures, LesionMeasures
from smalltumor.progress import ProgressReporter


class Course:
    """The lesions of several scans, and what the target lesions of the first have become.

    Parameters
    ----------
    measures : sequence of CaseMeasures
        Of each scan, from the first to the last.
    from_first : sequence of (4, 4) float64
        From points of the first scan to points of each later one, patient coordinates in mm, RAS.
    coverages : sequence of Coverage
        Of each scan.
    contrasts : sequence of LocalContrast
        Of each scan; without them, it is not known where an earlier scan is bright.
    progress : ProgressReporter, optional
        Of all pairs of scans; those that are asked for may raise `Cancelled`.
    """

    def __init__(
        self,
        measures: Sequence[CaseMeasures],
        from_first: Sequence[Affine],
        coverages: Sequence[Coverage],
        contrasts: Sequence[LocalContrast] = (),
        progress: ProgressReporter | None = None,
    ) -> None:
        sums = measures[0].sums
        self._first_sum = None if sums is None else sums.product_mm2
        self._lesions = [found.lesions for found in measures]
        self._target_ids = [] if sums is None else list(sums.lesions)
        self._coverages, self._contrasts = coverages, contrasts
        self._progress = progress or ProgressReporter()
        self._from_first: list[Affine] = [np.eye(4), *from_first]
        self._to_first: list[Affine] = [
            np.asarray(np.linalg.inv(matrix), dtype=np.float64) for matrix in self._from_first
        ]
        # Distances of large lesions take seconds: each pair of scans is compared once.
        self._changes: dict[tuple[int, int], list[LesionChange]] = {}
        self._targets: dict[int, list[LesionMeasures]] = {}

    def changes(self, earlier: int, current: int) -> list[LesionChange]:
        """The changes from one scan to a later one, given as their indices."""
        pair = earlier, current
        if pair not in self._changes:
            number, pairs = len(self._changes), len(self._lesions) * (len(self._lesions) - 1) // 2
            with self._progress.subrange(number / pairs, (number + 1) / pairs):
                self._changes[pair] = self._compared(earlier, current)
        return self._changes[pair]

    def _compared(self, earlier: int, current: int) -> list[LesionChange]:
        self._progress.update(0.0, MATCHING)
        lesions, to_first, shown = self._lesions, self._to_first, self._coverages
        changes = match_lesions(
            lesions[earlier], lesions[current], to_first[earlier], to_first[current]
        )
        matrix = np.asarray(self._from_first[current] @ to_first[earlier], dtype=np.float64)
        changes = with_coverage(changes, shown[earlier], shown[current], matrix)
        if not self._contrasts:
            return changes
        bright = self._contrasts[earlier], self._contrasts[current]
        return with_contrast(changes, *bright, matrix, self._progress)

    def response_measures(self, number: int) -> ResponseMeasures:
        """What a later scan is assessed by."""
        return ResponseMeasures(
            sums_mm2=[self._sum(n) for n in range(number + 1)],
            since=[self.changes(earlier, number) for earlier in range(number)],
            lesions=self._lesions[number],
            target_is_measurable=any(x.measurable for x in self._axial_of_targets(number)),
            volumes_mm3=[
                sum(each.lesion.mm3 for each in self._targets_at(n)) for n in range(number + 1)
            ],
        )

    def _sum(self, number: int) -> float | None:
        """Sum of the products of what the targets have become; None without targets.

        A lesion that is no longer measurable counts with its product, and one that is gone with 0.
        """
        if self._first_sum is None or not number:
            return self._first_sum
        return sum(found.product_mm2 for found in self._axial_of_targets(number))

    def _axial_of_targets(self, number: int) -> list[AxialDiameters]:
        """Diameters of what the targets have become at a scan."""
        axial = [each.lesion.axial for each in self._targets_at(number)]
        return [found for found in axial if found is not None]

    def _targets_at(self, number: int) -> list[LesionMeasures]:
        """What the targets have become at a scan."""
        if number not in self._targets:
            self._targets[number] = self._become(number)
        return self._targets[number]

    def _become(self, number: int) -> list[LesionMeasures]:
        """The lesions of a scan that belong to a target and are nearer to no other lesion."""
        first, lesions = self._lesions[0], self._lesions[number]
        near = lesion_distances(first, lesions, np.eye(4), self._to_first[number])
        is_target = np.isin([each.lesion.id for each in first], self._target_ids)
        nearest, limit = (
            near.relative[rows].min(axis=0, initial=np.inf) for rows in (is_target, ~is_target)
        )
        linked = near.linked[is_target].any(axis=0)
        overlaps = near.overlap[is_target].any(axis=0)
        become = linked & ((nearest <= limit) | overlaps)
        return [lesions[n] for n in np.flatnonzero(become)]
