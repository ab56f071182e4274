"""The brain of a case: where its images differ from their backgrounds.

Skull-stripped images have a background of 0, another constant after an offset or a z-score, two
constants if zeros were padded after a z-score, noise, or the ringing of a spline interpolation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from smalltumor.data.brain.background import Background, Image, fill_holes

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask

BRAIN_SHARE = 0.1
"""Share of the brain's contrast with the background that nearly every voxel of the brain exceeds
in at least one modality."""

_OUTSIDE_SHARE = 0.01
"""Number of voxels outside the brain that differ from the background, as a share of the brain,
above which the background is not clean. BraTS images have at most .0001."""

_COMPONENT_SHARE = 0.003
"""Size of a detached part of the brain, as a share of the largest part; smaller ones are noise,
debris or ringing. About 4 ml."""


def brain_masks(images: Sequence[Image], backgrounds: Sequence[Background]) -> list[Mask]:
    """The brain of each image by itself, (i, j, k) bool.

    Parameters
    ----------
    images : sequence of (i, j, k) arrays
        Whole, or some of their voxels.
    backgrounds : sequence of Background
    """
    if are_clean(backgrounds, images):
        return list(map(Background.differs, backgrounds, images))
    exceeds = (b.exceeds(i, BRAIN_SHARE) for b, i in zip(backgrounds, images, strict=True))
    return [fill_holes(brain_of([mask])) for mask in exceeds]


def are_clean(backgrounds: Sequence[Background], images: Sequence[Image]) -> bool:
    """Whether the backgrounds are constants, and nothing but the brain differs from them.

    Parameters
    ----------
    backgrounds : sequence of Background
    images : sequence of (i, j, k) arrays
        The images that they belong to, or some of their voxels.
    """
    if any(background.noise for background in backgrounds):
        return False
    differs = np.logical_or.reduce(list(map(Background.differs, backgrounds, images)))
    # On both sides of a constant: no ringing needs to be told from the brain yet.
    both = [replace(background, one_sided=False) for background in backgrounds]
    exceeds = [b.exceeds(i, BRAIN_SHARE) for b, i in zip(both, images, strict=True)]
    brain = whole_brain_of(exceeds) if len(exceeds) == 1 else brain_of(exceeds)
    return bool(np.count_nonzero(differs & ~brain) <= _OUTSIDE_SHARE * np.count_nonzero(brain))


def brain_of(masks: Sequence[Mask]) -> Mask:
    """The largest component of the masks (i, j, k) of all images, and its detached parts.

    A detached part is large, and is in half of the images or more: a bright island of one image is
    no brain.
    """
    from scipy import ndimage

    united = np.logical_or.reduce(masks)
    labels, _ = ndimage.label(united)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    images = np.sum(masks, axis=0, dtype=np.uint8)
    shared = np.bincount(labels.ravel(), weights=images.ravel()) >= len(masks) / 2 * sizes
    keep = (sizes >= _COMPONENT_SHARE * sizes.max()) & shared
    keep[sizes.argmax()] = True
    return np.asarray(keep[labels] & united)


def whole_brain_of(masks: Sequence[Mask]) -> Mask:
    """The brain with what it encloses, (i, j, k) bool.

    Of several images, nearly every voxel of the brain differs from the background in one. A
    z-scored image alone has values near the background in the brain and at its border, where they
    would open a way to the inside: gaps are closed first.
    """
    from scipy import ndimage

    brain = brain_of(masks)
    if len(masks) == 1:
        # Around the volume, too, there is no brain.
        closed = ndimage.binary_closing(np.pad(brain, 1))
        brain |= closed[1:-1, 1:-1, 1:-1]
    return fill_holes(brain)
