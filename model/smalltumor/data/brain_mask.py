"""The brain of a case: where its images differ from their backgrounds.

Skull-stripped images have a background of 0, another constant after an offset or a z-score, two
constants if zeros were padded after a z-score, noise, or the ringing of a spline interpolation.
`remove_background` reduces all of these to one form: 0 outside the brain and positive in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.background import Background, Image, fill_holes, find_background

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask

COARSE_MM = 4.0
"""Distance, in mm, of the voxels that are looked at first."""

_COARSE_VOXELS = 32
"""Smallest number of these voxels along an axis, if the image has as many."""

BRAIN_SHARE = 0.1
"""Share of the brain's contrast with the background that nearly every voxel of the brain exceeds
in at least one modality."""

_RINGING_SHARE = 0.3
"""Share of that contrast that ringing outside the brain rarely exceeds."""

_OUTSIDE_SHARE = 0.01
"""Number of voxels outside the brain that differ from the background, as a share of the brain,
above which the background is not clean. BraTS images have at most .0001."""

_COMPONENT_SHARE = 0.003
"""Size of a detached part of the brain, as a share of the largest part; smaller ones are noise,
debris or ringing. About 4 ml."""

_SMALLEST = 1e-6
"""Smallest result in the brain, as a share of the largest."""


def coarse_steps(shape: Sequence[int], spacing: npt.ArrayLike) -> tuple[slice, slice, slice]:
    """Slices that take every n-th voxel along each axis, about `COARSE_MM` apart.

    Parameters
    ----------
    shape : (3,) int
    spacing : (3,) float
        Voxel size in mm.
    """
    i, j, k = (
        slice(None, None, max(1, min(round(COARSE_MM / size), length // _COARSE_VOXELS)))
        for length, size in zip(shape, np.asarray(spacing, dtype=float), strict=True)
    )
    return i, j, k


def remove_background(images: Sequence[Image], spacing: npt.ArrayLike) -> list[Image]:
    """Set the background of images to 0, and make the brain positive.

    Parameters
    ----------
    images : sequence of (i, j, k) arrays
        The modalities of a case; finite values.
    spacing : (3,) float
        Voxel size in mm.

    Returns
    -------
    list of (i, j, k) arrays
        The same arrays if they have this form already. Otherwise new float32 arrays: 0 outside
        the brain, and in the brain the values less a constant.
    """
    steps = coarse_steps(images[0].shape, spacing)
    coarse = [image[steps].copy() for image in images]
    backgrounds = [find_background(i, c) for i, c in zip(images, coarse, strict=True)]
    clean = _are_clean(backgrounds, coarse)
    if clean and all(map(_is_zero, backgrounds, coarse)):
        return list(images)
    with ThreadPoolExecutor(len(images)) as pool:
        brain_in = Background.differs if clean else _exceeds_ringing
        masks = list(pool.map(brain_in, backgrounds, images))
        brain = np.logical_or.reduce(masks) if clean else _whole_brain_of(masks)
        if clean:  # what is below the background is brain, not ringing
            backgrounds = list(map(_around, backgrounds, images))
        inside = pool.map(partial(_inside, brain), backgrounds, images)
        return list(pool.map(_subtract_background, images, backgrounds, inside))


def brain_masks(coarse: Iterable[Image], backgrounds: Iterable[Background]) -> list[Mask]:
    """The brain of each image by itself, (i, j, k) bool, in some of its voxels."""
    images, known = list(coarse), list(backgrounds)
    if _are_clean(known, images):
        return list(map(Background.differs, known, images))
    exceeds = (b.exceeds(image, BRAIN_SHARE) for b, image in zip(known, images, strict=True))
    return [fill_holes(_brain_of([mask])) for mask in exceeds]


def _are_clean(backgrounds: Sequence[Background], coarse: Sequence[Image]) -> bool:
    """Whether the backgrounds are constants, and nothing but the brain differs from them."""
    if any(background.noise for background in backgrounds):
        return False
    differs = np.logical_or.reduce(list(map(Background.differs, backgrounds, coarse)))
    # On both sides of a constant: no ringing needs to be told from the brain yet.
    both = [replace(background, one_sided=False) for background in backgrounds]
    exceeds = [b.exceeds(c, BRAIN_SHARE) for b, c in zip(both, coarse, strict=True)]
    brain = _whole_brain_of(exceeds) if len(exceeds) == 1 else _brain_of(exceeds)
    return bool(np.count_nonzero(differs & ~brain) <= _OUTSIDE_SHARE * np.count_nonzero(brain))


def _is_zero(background: Background, coarse: Image) -> bool:
    return background.levels in ((), (0.0,)) and bool(coarse.min() >= 0)


def _around(background: Background, image: Image) -> Background:
    """The background of an image whose brain may have values below it, however few."""
    below = bool(background.levels) and float(image.min()) < background.levels[0]
    return replace(background, one_sided=background.one_sided and not below)


def _exceeds_ringing(background: Background, image: Image) -> Mask:
    return background.exceeds(image, _RINGING_SHARE)


def _brain_of(masks: Sequence[Mask]) -> Mask:
    """The largest component of the masks of all images, and its detached parts.

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


def _whole_brain_of(masks: Sequence[Mask]) -> Mask:
    """The brain with what it encloses.

    Of several images, nearly every voxel of the brain differs from the background in one. A
    z-scored image alone has values near the background in the brain and at its border, where they
    would open a way to the inside: gaps are closed first.
    """
    from scipy import ndimage

    brain = _brain_of(masks)
    if len(masks) == 1:
        brain |= ndimage.binary_closing(brain)
    return fill_holes(brain)


def _inside(brain: Mask, background: Background, image: Image) -> Mask:
    """The brain in one image: without voxels that have exactly the value of the background.

    The own mask of an image can be smaller than the brain of all modalities. Whole numbers on
    both sides of the background have its value in the brain as well.
    """
    if background.noise or not background.levels:
        return brain
    some = image[::7, ::7, ::7]
    if not background.one_sided and np.array_equal(some, np.rint(some)):
        return brain
    return brain & Background(background.levels[:1]).differs(image)


def _subtract_background(image: Image, background: Background, inside: Mask) -> Image:
    """Subtract the background, or the smallest value of a brain that is partly below it."""
    result = np.zeros(image.shape, dtype=np.float32, order="F")
    values = image.T[inside.T].astype(np.float64)  # transposed: in the order of memory
    if values.size:
        above = background.levels and background.one_sided
        base = background.levels[0] if above else values.min()
        values -= base
        np.maximum(values, _SMALLEST * values.max(), out=values)
        with np.errstate(over="ignore"):  # what float32 cannot hold is refused when normalising
            result.T[inside.T] = values
    return result
