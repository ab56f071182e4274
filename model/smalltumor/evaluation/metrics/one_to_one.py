"""Lesions matched one to one, as the BraTS challenges count them from 2024.

The package ``brats-evaluation`` labels the 26-connected components of both masks, without dilation,
and assigns each component of the truth at most one predicted component, so that the sum of Dice is
greatest (maximum bipartite matching). Means are over the matched lesions; missed and false ones
count in F1 only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smalltumor.evaluation.metrics.voxelwise import dice, surface_distances
from smalltumor.geometry.boxes import bounding_box
from smalltumor.geometry.voxel import Voxel
from smalltumor.labels.components import Components, Integers, connected_components
from smalltumor.labels.masks import Mask

NO_OVERLAP_MM = 373.0
"""HD95 of masks that share no voxel, in mm."""

_ROUNDING = 1e-6
"""Slack of the tolerance in mm, since the distances are rounded."""


@dataclass(frozen=True)
class SurfaceScores:
    """Agreement of two masks.

    Parameters
    ----------
    dice : float
    nsd : float
        Normalised surface Dice: the share of surface voxels within the tolerance of the other
        surface, as the mean of both sides.
    hd95 : float
        95th percentile of the distances of both surfaces together, mm.
    """

    dice: float
    nsd: float
    hd95: float


NO_OVERLAP = SurfaceScores(0.0, 0.0, NO_OVERLAP_MM)


@dataclass(frozen=True)
class OneToOneScores:
    """Scores of one region of one case.

    Parameters
    ----------
    matched, missed, false : int
        Numbers of components.
    lesions : SurfaceScores or None
        Means over the matched lesions; None if there is no component on either side.
    whole : SurfaceScores or None
        Of all components together.
    """

    matched: int
    missed: int
    false: int
    lesions: SurfaceScores | None
    whole: SurfaceScores | None

    @property
    def f1(self) -> float | None:
        """``2 TP / (2 TP + FP + FN)``; None if there is no component on either side."""
        total = 2 * self.matched + self.missed + self.false
        return 2 * self.matched / total if total else None


def score_one_to_one(
    prediction: Mask, truth: Mask, voxel: npt.ArrayLike = (1.0, 1.0, 1.0)
) -> OneToOneScores:
    """Match components one to one and score them.

    The tolerance of the surface Dice is the shortest voxel edge for lesions. The whole region is
    compared in voxels, with half a voxel as tolerance, because ``brats-evaluation`` passes no voxel
    size there.

    Parameters
    ----------
    prediction, truth : (i, j, k) bool array
    voxel : three floats, or (3, 3) array
        Voxel size along i, j, k in mm, or the edges of a voxel, see `Voxel.of`.
    """
    box = bounding_box(prediction | truth)
    prediction, truth = prediction[box], truth[box]
    predicted, actual = connected_components(prediction), connected_components(truth)
    if not len(predicted) and not len(actual):
        return OneToOneScores(matched=0, missed=0, false=0, lesions=None, whole=None)
    pairs = _matches(predicted, actual)
    images = predicted.label_image(), actual.label_image()
    scores = [_surface_scores(images[0] == p, images[1] == t, voxel) for t, p in pairs]
    lesions = _mean(scores) if scores else NO_OVERLAP
    whole = _surface_scores(prediction, truth, (1.0, 1.0, 1.0), 0.5) if scores else NO_OVERLAP
    return OneToOneScores(
        matched=len(pairs),
        missed=len(actual) - len(pairs),
        false=len(predicted) - len(pairs),
        lesions=lesions,
        whole=whole,
    )


def _matches(predicted: Components, actual: Components) -> list[tuple[int, int]]:
    """Numbers of the components of the truth and of the prediction that are matched."""
    from scipy.optimize import linear_sum_assignment

    common = _common_voxels(predicted, actual)
    sums = actual.sizes[:, None] + predicted.sizes[None, :]
    overlaps = 2 * common / sums
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    return [
        (int(t) + 1, int(p) + 1) for t, p in zip(rows, columns, strict=True) if common[t, p] > 0
    ]


def _common_voxels(predicted: Components, actual: Components) -> Integers:
    """Voxels that components share, (component of the truth, predicted component)."""
    ours, theirs = actual.label_image(), predicted.label_image()
    common = np.zeros((len(actual), len(predicted)), dtype=np.int64)
    both = (ours > 0) & (theirs > 0)
    np.add.at(common, (ours[both] - 1, theirs[both] - 1), 1)
    return common


def _surface_scores(
    prediction: Mask, truth: Mask, voxel: npt.ArrayLike, tolerance: float | None = None
) -> SurfaceScores:
    """Compare two masks that overlap."""
    to_truth, to_prediction = surface_distances(prediction, truth, voxel)
    within = float(Voxel.of(voxel).spacing.min()) if tolerance is None else tolerance
    shares = [
        float(np.mean(distances <= within + _ROUNDING)) for distances in (to_truth, to_prediction)
    ]
    together = np.concatenate([to_truth, to_prediction])
    return SurfaceScores(
        dice(prediction, truth), sum(shares) / 2, float(np.percentile(together, 95))
    )


def _mean(scores: list[SurfaceScores]) -> SurfaceScores:
    values = np.mean([(s.dice, s.nsd, s.hd95) for s in scores], axis=0)
    return SurfaceScores(*map(float, values))
