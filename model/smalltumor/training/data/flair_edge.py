"""Masks whose border FLAIR does not show: mirrored within the brain, or another patient's."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from smalltumor.data.case import Case
from smalltumor.labels.masks import Classes, class_mask
from smalltumor.labels.regions import TissueClass

DOUBTFUL = 0.68
"""Probability of `brighter_inside` below which a mask is doubtful.

Of 51 experts' masks the lowest had 0.81; mirrored, or laid over another patient's images, the
highest had 0.70. It is below both, because masks are often drawn less exactly than the experts'.
See docs/lab/input-checks.md.
"""

_WIDTH_MM = 3.0
_ENOUGH = 300
"""Voxels on each side; with fewer, the probability is left to chance."""


def flair_edge_text(case: Case, classes: Classes) -> str:
    """A sentence about a border of the whole tumour that FLAIR does not show; empty if it does.

    Without FLAIR, or in a mask without edema, nothing is said: the border of the tumour's core
    need not be one in FLAIR.

    Parameters
    ----------
    case : Case
    classes : (i, j, k) uint8 array
        Tissue classes on the case's grid.
    """
    flair = case.volumes.get("flair")
    if flair is None or not class_mask(classes, TissueClass.ED).any():
        return ""
    probability = brighter_inside(flair, classes > 0, case.grid.spacing)
    if probability is None or probability >= DOUBTFUL:
        return ""
    return (
        "the mask may be mirrored or another patient's: FLAIR is not clearly brighter within its "
        f"border than beyond it (in {int(100 * probability)} % of pairs of voxels; "
        f"{100 * DOUBTFUL:.0f} % or more are expected)"
    )


def brighter_inside(
    flair: npt.NDArray[Any], mask: npt.NDArray[np.bool_], spacing: npt.NDArray[np.float64]
) -> float | None:
    """Probability that a voxel within a border is brighter than one beyond it.

    This is the Mann-Whitney U statistic of the voxels within a box of 3 mm each way of the border,
    divided by the number of pairs. It depends on the order of the intensities alone.

    Parameters
    ----------
    flair : (i, j, k) array
        0 outside the brain.
    mask : (i, j, k) bool array
    spacing : (3,) array
        Voxel size in mm.

    Returns
    -------
    float or None
        None if there are too few voxels on a side.
    """
    widths = [max(1, round(_WIDTH_MM / float(size))) for size in spacing]
    box = _box_around(mask, widths)
    mask, flair = mask[box], np.asarray(flair[box])
    brain = flair != 0
    inner = flair[mask & brain & _grown(~mask, widths)]
    outer = flair[~mask & brain & _grown(mask, widths)]
    if min(inner.size, outer.size) < _ENOUGH:
        return None
    outer.sort()
    below = np.searchsorted(outer, inner, "left").mean()
    not_above = np.searchsorted(outer, inner, "right").mean()
    return float((below + not_above) / 2 / outer.size)


def _box_around(mask: npt.NDArray[np.bool_], widths: list[int]) -> tuple[slice, ...]:
    found = ndimage.find_objects(mask.astype(np.uint8))[:1] or [(slice(0, 0),) * 3]
    return tuple(
        slice(max(0, part.start - width), part.stop + width)
        for part, width in zip(found[0], widths, strict=True)
    )


def _grown(mask: npt.NDArray[np.bool_], widths: list[int]) -> npt.NDArray[np.bool_]:
    """A mask and the voxels within a box around each of its voxels."""
    grown = mask.astype(np.uint8)
    for axis, width in enumerate(widths):
        grown = ndimage.maximum_filter1d(grown, 2 * width + 1, axis=axis, mode="constant")
    return grown.astype(bool)
