"""Whether FLAIR shows the border of a mask, or shows it where the mask would be if mirrored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from smalltumor.data.case import Case
from smalltumor.geometry.mirroring import mirrored
from smalltumor.labels.masks import Classes, class_mask
from smalltumor.labels.regions import TissueClass

DOUBTFUL = 0.68
"""Probability of `brighter_inside` below which a mask is doubtful.

Of 51 experts' masks the lowest had 0.81, and of the network's masks of the same cases 0.82;
mirrored, or laid over another patient's images, the highest had 0.72. It is below that, because
masks are often drawn less exactly than the experts'. See docs/lab/input-checks.md.
"""

UNSUSPICIOUS = 0.80
"""Probability from which mirrored masks are not looked at."""

MIRRORED = 0.72
MIRRORED_GAIN = 0.10
"""A mask is mirrored if the probability of its mirror image is at least the first, and larger than
its own by the second. Another patient's masks reached 0.70; in the right place none of 51 masks,
whether of an expert or of the network, had a mirror image with a larger probability."""

_WIDTH_MM = 3.0
"""Distance to the border, along each axis, of the voxels that are compared."""

_ENOUGH = 300
"""Voxels on each side; with fewer, the probability is left to chance."""


@dataclass(frozen=True)
class FlairBorder:
    """How well FLAIR shows the border of a mask.

    Parameters
    ----------
    probability : float
        As of `brighter_inside`.
    mirroring : str
        How the mask is mirrored, one of `smalltumor.geometry.mirroring.MIRRORINGS`; empty if it
        does not seem to be.
    if_mirrored : float
        Probability of the mask that is mirrored back.
    """

    probability: float
    mirroring: str = ""
    if_mirrored: float = 0.0

    def __str__(self) -> str:
        """What is wrong, as a sentence; empty if nothing is."""
        if self.mirroring:
            return (
                f"the mask seems to be mirrored {self.mirroring}: FLAIR is brighter within its "
                f"border than beyond it in {100 * self.probability:.0f} % of pairs of voxels, and "
                f"in {100 * self.if_mirrored:.0f} % once it is mirrored back"
            )
        if self.probability < DOUBTFUL:
            return (
                "the mask may be mirrored or another patient's: FLAIR is not clearly brighter "
                f"within its border than beyond it (in {int(100 * self.probability)} % of pairs of "
                f"voxels; {100 * DOUBTFUL:.0f} % or more are expected)"
            )
        return ""


def flair_border(case: Case, classes: Classes) -> FlairBorder | None:
    """Look at the border of the whole tumour in FLAIR.

    Parameters
    ----------
    case : Case
    classes : (i, j, k) uint8 array
        Tissue classes on the case's grid.

    Returns
    -------
    FlairBorder or None
        None without FLAIR, if the tumour is too small, or in a mask without edema: the border of
        the tumour's core need not be one in FLAIR.
    """
    flair = case.volumes.get("flair")
    if flair is None or not class_mask(classes, TissueClass.ED).any():
        return None
    tumour, spacing = classes > 0, case.grid.spacing
    probability = brighter_inside(flair, tumour, spacing)
    if probability is None or probability >= UNSUSPICIOUS:
        return None if probability is None else FlairBorder(probability)
    images = mirrored(tumour, case.grid)
    found = {name: brighter_inside(flair, image, spacing) or 0.0 for name, image in images}
    best = max(found, key=lambda name: found[name])
    if found[best] < max(MIRRORED, probability + MIRRORED_GAIN):
        return FlairBorder(probability)
    return FlairBorder(probability, best, found[best])


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
