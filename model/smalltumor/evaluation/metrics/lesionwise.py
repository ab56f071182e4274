"""Lesion-wise scores: found, missed and false lesions.

`match_lesions` and `score_lesions` follow BraTS 2023, which merges neighbouring components into one
lesion. `smalltumor.evaluation.metrics.components` scores every component of the truth by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from smalltumor.evaluation.metrics.dilation import dilated_components, dilation_margin
from smalltumor.evaluation.metrics.voxelwise import NO_OVERLAP_HD95, dice, hausdorff95
from smalltumor.geometry.boxes import bounding_box, padded
from smalltumor.geometry.voxel import Voxel
from smalltumor.labels.components import Integers, connected_components
from smalltumor.labels.masks import Mask
from smalltumor.labels.small_lesions import is_at_most


@dataclass(frozen=True)
class LesionRule:
    """Rule by which a challenge matches lesions.

    Parameters
    ----------
    dilation_mm : float
        Dilation of the truth, on any grid. Components that touch after dilation are one lesion,
        which is found if a predicted component overlaps the dilated lesion.
    ignore_mm3 : float
        Lesions of the truth up to this volume are ignored.
    """

    dilation_mm: float
    ignore_mm3: float


GLIOMA_RULE = LesionRule(dilation_mm=3, ignore_mm3=50)


@dataclass(frozen=True, eq=False)
class LesionMatches:
    """The lesions of the truth, and the predicted components that are assigned to each.

    Parameters
    ----------
    start : (3,) int64 array
        Index of the first voxel of the box in the whole volume.
    lesions : (i, j, k) int array
        Number of the lesion of the truth in each voxel of a box around both masks, from 1; 0
        outside.
    predicted : (i, j, k) int array
        Number of the predicted component in the same voxels.
    assigned : tuple of int arrays
        Numbers of the predicted components that overlap dilated lesion 1, 2 and so on.
    """

    start: Integers
    lesions: npt.NDArray[np.integer]
    predicted: npt.NDArray[np.integer]
    assigned: tuple[npt.NDArray[np.integer], ...]

    @cached_property
    def false_components(self) -> list[int]:
        """Numbers of the predicted components that overlap no dilated lesion."""
        matched = {int(number) for numbers in self.assigned for number in numbers}
        return [n for n in range(1, int(self.predicted.max(initial=0)) + 1) if n not in matched]

    @cached_property
    def lesion_voxels(self) -> list[Integers]:
        """Voxels of lesions 1, 2 and so on in the whole volume, each (n, 3) in scan order."""
        return [voxels + self.start for voxels in _voxels_of_each(self.lesions)]

    @cached_property
    def predicted_voxels(self) -> list[Integers]:
        """Voxels of predicted components 1, 2 and so on, as `lesion_voxels`."""
        return [voxels + self.start for voxels in _voxels_of_each(self.predicted)]

    def lesion_dice(self, number: int) -> float:
        """Dice of a lesion of the truth and all components assigned to it; 0 if it was missed."""
        lesion, assigned = self.lesion_voxels[number - 1], self.assigned[number - 1]
        sizes = sum(len(self.predicted_voxels[n - 1]) for n in assigned)
        where = tuple((lesion - self.start).T)
        common = int(np.count_nonzero(np.isin(self.predicted[where], assigned)))
        return 2 * common / (len(lesion) + sizes)

    def masks(self, number: int) -> tuple[Mask, Mask]:
        """A lesion of the truth, and all components assigned to it: masks (i, j, k) of the box."""
        return self.lesions == number, np.isin(self.predicted, self.assigned[number - 1])


@dataclass(frozen=True)
class MatchedLesion:
    """Scores of one lesion of the truth and its prediction.

    Parameters
    ----------
    voxels : int
        Volume of the lesion.
    dice : float
    hd95 : float
        In mm.
    found : bool
        Whether a predicted component overlaps the dilated lesion.
    """

    voxels: int
    dice: float
    hd95: float
    found: bool


@dataclass(frozen=True)
class LesionScores:
    """Lesion-wise scores of one region of one case, as in BraTS 2023.

    Parameters
    ----------
    lesions : tuple of MatchedLesion
        Lesions of the truth above the ignored volume.
    false_lesions : int
        Number of predicted components, of any size, that overlap no dilated lesion.
    ignored : int
        Number of lesions of the truth up to the ignored volume.
    """

    lesions: tuple[MatchedLesion, ...]
    false_lesions: int
    ignored: int

    @property
    def found(self) -> int:
        """Number of lesions of the truth that were found."""
        return sum(lesion.found for lesion in self.lesions)

    @property
    def missed(self) -> int:
        """Number of lesions of the truth that were not found."""
        return len(self.lesions) - self.found

    @property
    def dice(self) -> float:
        """Mean Dice over lesions, 0 for false ones; 1 if there are no lesions."""
        count = len(self.lesions) + self.false_lesions
        return sum(lesion.dice for lesion in self.lesions) / count if count else 1.0

    @property
    def hd95(self) -> float:
        """Mean HD95 over lesions in mm, `NO_OVERLAP_HD95` for false ones; 0 if there are none."""
        count = len(self.lesions) + self.false_lesions
        total = sum(lesion.hd95 for lesion in self.lesions) + NO_OVERLAP_HD95 * self.false_lesions
        return total / count if count else 0.0


def match_lesions(
    prediction: Mask,
    truth: Mask,
    voxel: npt.ArrayLike = (1.0, 1.0, 1.0),
    rule: LesionRule = GLIOMA_RULE,
) -> LesionMatches:
    """Match predicted components with the lesions of the truth as BraTS 2023 does.

    The truth is dilated, which merges neighbouring components into lesions. Every predicted
    component that overlaps a dilated lesion is assigned to it.

    Parameters
    ----------
    prediction, truth : (i, j, k) bool array
    voxel : three floats, or (3, 3) array
        Voxel size along i, j, k in mm, or the edges of a voxel, see `Voxel.of`.
    rule : LesionRule
        Its ignored volume is not used: small lesions are matched too.
    """
    margin = dilation_margin(rule.dilation_mm, Voxel.of(voxel))
    box = padded(bounding_box(prediction | truth), margin, truth.shape)
    prediction, truth = prediction[box], truth[box]
    predicted = connected_components(prediction).label_image()
    dilated = dilated_components(truth, rule.dilation_mm, Voxel.of(voxel))
    both = (dilated > 0) & (predicted > 0)
    pairs = np.unique(np.stack([dilated[both], predicted[both]], axis=1), axis=0)
    numbers = range(1, int(dilated.max(initial=0)) + 1)
    return LesionMatches(
        start=np.array([span.start for span in box], dtype=np.int64),
        lesions=np.where(truth, dilated, 0),
        predicted=predicted,
        assigned=tuple(pairs[pairs[:, 0] == n, 1] for n in numbers),
    )


def score_lesions(
    prediction: Mask,
    truth: Mask,
    voxel: npt.ArrayLike = (1.0, 1.0, 1.0),
    rule: LesionRule = GLIOMA_RULE,
) -> LesionScores:
    """Match lesions with `match_lesions` and score them as BraTS 2023 does.

    Dice and HD95 compare the undilated lesion with all components assigned to it. A missed lesion
    has Dice 0 and HD95 `NO_OVERLAP_HD95`.

    Parameters
    ----------
    prediction, truth : (i, j, k) bool array
    voxel : three floats, or (3, 3) array
        Voxel size along i, j, k in mm, or the edges of a voxel, see `Voxel.of`.
    rule : LesionRule
    """
    matches, volume = match_lesions(prediction, truth, voxel, rule), Voxel.of(voxel).volume
    lesions, ignored = [], 0
    for number in range(1, len(matches.assigned) + 1):
        lesion, assigned = matches.masks(number)
        if is_at_most(np.count_nonzero(lesion) * volume, rule.ignore_mm3):
            ignored += 1
        else:
            lesions.append(_match(assigned, lesion, voxel))
    return LesionScores(tuple(lesions), len(matches.false_components), ignored)


def _match(prediction: Mask, lesion: Mask, voxel: npt.ArrayLike) -> MatchedLesion:
    return MatchedLesion(
        voxels=int(np.count_nonzero(lesion)),
        dice=dice(prediction, lesion),
        hd95=hausdorff95(prediction, lesion, voxel),
        found=bool(prediction.any()),
    )


def _voxels_of_each(labels: npt.NDArray[np.integer]) -> list[Integers]:
    """Voxels of each number from 1 up, (n, 3) in scan order; every number occurs."""
    where = np.argwhere(labels)
    numbers = labels[tuple(where.T)]
    order = np.argsort(numbers, kind="stable")
    return np.split(where[order], np.cumsum(np.bincount(numbers)[1:])[:-1]) if len(where) else []
