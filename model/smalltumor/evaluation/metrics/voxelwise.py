"""Voxelwise agreement of a mask with the truth: Dice, TPR, FPR, HD95, NSD.

Tools score empty masks differently. Their scores here are:

================  ==============  =========  ==========  ========  ===
truth             prediction      Dice       TPR         HD95      NSD
================  ==============  =========  ==========  ========  ===
empty             empty           1          undefined   0         1
empty             not empty       0          undefined   374       0
not empty         empty           0          0           374       0
================  ==============  =========  ==========  ========  ===

An undefined value is None and is left out of means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.boxes import bounding_box
from smalltumor.geometry.voxel import Voxel
from smalltumor.labels.masks import Mask

NO_OVERLAP_HD95 = 374.0
"""HD95 of a missed or false mask in BraTS, in mm: the diagonal of 240 x 240 x 155 voxels."""

NSD_TOLERANCE_MM = 1.0
"""Distance up to which surfaces agree in the normalised surface Dice."""

EMPTY_MASK_SCORES = (
    "empty truth and empty prediction: Dice and NSD 1, HD95 0; only one of them empty: Dice and "
    f"NSD 0, HD95 {NO_OVERLAP_HD95:g}; TPR is undefined without truth and left out of means"
)


@dataclass(frozen=True)
class Overlap:
    """Voxels that two masks of a region share.

    Parameters
    ----------
    dice : float
    tpr : float or None
        True positive rate ``TP / (TP + FN)``; None if the truth is empty.
    fpr : float
        False positive rate ``FP / (FP + TN)`` over the whole volume; 0 if the truth fills it.
        A rate of 0.0001 of a BraTS volume is 890 voxels: report it with the false volume.
    truth_voxels, predicted_voxels, false_voxels : int
    voxel_ml : float
        Volume of a voxel, ml.
    """

    dice: float
    tpr: float | None
    fpr: float
    truth_voxels: int
    predicted_voxels: int
    false_voxels: int
    voxel_ml: float

    @property
    def false_ml(self) -> float:
        """Volume predicted outside the truth, ml."""
        return self.false_voxels * self.voxel_ml


@dataclass(frozen=True)
class RegionScore(Overlap):
    """Agreement of two masks of a region.

    Parameters
    ----------
    hd95 : float
        95th percentile Hausdorff distance, mm.
    nsd : float
        Normalised surface Dice at `NSD_TOLERANCE_MM`.
    """

    hd95: float
    nsd: float


def score_masks(
    prediction: Mask,
    truth: Mask,
    voxel: npt.ArrayLike = (1.0, 1.0, 1.0),
) -> RegionScore:
    """Compute all scores of a prediction.

    Parameters
    ----------
    prediction, truth : (i, j, k) bool array
    voxel : three floats, or (3, 3) array
        Voxel size along i, j, k in mm, or the edges of a voxel, see `Voxel.of`.
    """
    overlap = overlap_of(prediction, truth, voxel)
    if not overlap.predicted_voxels or not overlap.truth_voxels:
        return RegionScore(
            **vars(overlap),
            hd95=hausdorff95(prediction, truth),
            nsd=surface_dice(prediction, truth),
        )
    distances = surface_distances(prediction, truth, voxel)
    return RegionScore(**vars(overlap), hd95=_percentile95(distances), nsd=_share_within(distances))


def overlap_of(
    prediction: Mask,
    truth: Mask,
    voxel: npt.ArrayLike = (1.0, 1.0, 1.0),
) -> Overlap:
    """Compute the scores that need no distances, which take most of the time.

    Parameters
    ----------
    prediction, truth : (i, j, k) bool array
    voxel : three floats, or (3, 3) array
        Voxel size along i, j, k in mm, or the edges of a voxel, see `Voxel.of`.
    """
    common = int(np.count_nonzero(prediction & truth))
    predicted, actual = int(np.count_nonzero(prediction)), int(np.count_nonzero(truth))
    outside = truth.size - actual
    return Overlap(
        dice=_dice(common, predicted, actual),
        tpr=common / actual if actual else None,
        fpr=(predicted - common) / outside if outside else 0.0,
        truth_voxels=actual,
        predicted_voxels=predicted,
        false_voxels=predicted - common,
        voxel_ml=Voxel.of(voxel).volume / 1000,
    )


def dice(prediction: Mask, truth: Mask) -> float:
    """Dice similarity ``2 |P & T| / (|P| + |T|)`` of masks of one shape; 1 if both are empty."""
    common = int(np.count_nonzero(prediction & truth))
    return _dice(common, int(np.count_nonzero(prediction)), int(np.count_nonzero(truth)))


def hausdorff95(prediction: Mask, truth: Mask, voxel: npt.ArrayLike = (1.0, 1.0, 1.0)) -> float:
    """95th percentile Hausdorff distance between the surfaces of two masks, in mm.

    The greater of the 95th percentiles of both directed distances, as in MONAI. A surface
    voxel has a face neighbour outside the mask.

    Parameters
    ----------
    prediction, truth : (i, j, k) bool array
    voxel : three floats, or (3, 3) array
        Voxel size along i, j, k in mm, or the edges of a voxel, see `Voxel.of`.

    Returns
    -------
    float
        0 if both masks are empty, `NO_OVERLAP_HD95` if one is.
    """
    if not prediction.any() or not truth.any():
        return 0.0 if prediction.any() == truth.any() else NO_OVERLAP_HD95
    return _percentile95(surface_distances(prediction, truth, voxel))


def surface_dice(
    prediction: Mask,
    truth: Mask,
    voxel: npt.ArrayLike = (1.0, 1.0, 1.0),
    tolerance: float = NSD_TOLERANCE_MM,
) -> float:
    """Normalised surface Dice (Nikolov et al. 2021, doi 10.2196/26151), counted in voxels.

    The share of the surface voxels of both masks that lie within the tolerance of the surface of
    the other mask,

        ``(|S_P within| + |S_T within|) / (|S_P| + |S_T|)``.

    Parameters
    ----------
    prediction, truth : (i, j, k) bool array
    voxel : three floats, or (3, 3) array
        Voxel size along i, j, k in mm, or the edges of a voxel, see `Voxel.of`.
    tolerance : float
        In mm.

    Returns
    -------
    float
        1 if both masks are empty, 0 if one is.
    """
    if not prediction.any() or not truth.any():
        return float(prediction.any() == truth.any())
    return _share_within(surface_distances(prediction, truth, voxel), tolerance)


_Distances = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def _percentile95(distances: _Distances) -> float:
    return float(max(np.percentile(directed, 95) for directed in distances))


def _share_within(distances: _Distances, tolerance: float = NSD_TOLERANCE_MM) -> float:
    rounding = 1e-6
    return float(np.mean(np.concatenate(distances) <= tolerance + rounding))


def surface_distances(prediction: Mask, truth: Mask, voxel: npt.ArrayLike) -> _Distances:
    """Compute the distance of each surface voxel of a mask to the surface of the other, in mm.

    In a sheared grid, these are distances in the patient, too.

    Parameters
    ----------
    prediction, truth : (i, j, k) bool array
        Neither is empty.
    voxel : three floats, or (3, 3) array
        Voxel size along i, j, k in mm, or the edges of a voxel, see `Voxel.of`.

    Returns
    -------
    two (n,) float64 arrays
        From the prediction to the truth, and from the truth to the prediction.
    """
    from scipy.spatial import KDTree

    predicted, actual = (Voxel.of(voxel).places(_surface(mask)) for mask in (prediction, truth))
    to_truth, _ = KDTree(actual).query(predicted)
    to_prediction, _ = KDTree(predicted).query(actual)
    return to_truth, to_prediction


def _surface(mask: Mask) -> npt.NDArray[np.int64]:
    """Indices (n, 3) of the mask's voxels that have a face neighbour outside it."""
    box = bounding_box(mask)
    inside = np.pad(mask[box], 1)
    interior = inside.copy()
    for axis in range(3):
        interior &= np.roll(inside, 1, axis) & np.roll(inside, -1, axis)
    start = np.array([span.start - 1 for span in box])
    return np.asarray(np.argwhere(inside & ~interior) + start)


def _dice(common: int, predicted: int, actual: int) -> float:
    return 2 * common / (predicted + actual) if predicted + actual else 1.0
