"""Images with any background are reduced to one form: 0 outside the brain and positive in it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from smalltumor.data.brain.background import Background, Image
from smalltumor.data.brain.brain_mask import whole_brain_of
from smalltumor.data.brain.coarse_images import CoarseImages

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask

_RINGING_SHARE = 0.3
"""Share of the brain's contrast with the background that ringing rarely exceeds."""

_SMALLEST = 1e-6
"""Smallest result in the brain, as a share of the largest."""


def remove_background(images: Mapping[str, Image], coarse: CoarseImages) -> list[Image]:
    """Set the background of images to 0, and make the brain positive.

    Parameters
    ----------
    images : dict of str to (i, j, k) array
        The modalities of a case; finite values.
    coarse : CoarseImages
        Of the same modalities.

    Returns
    -------
    list of (i, j, k) arrays
        The same arrays if they have this form already. Otherwise new float32 arrays: 0 outside
        the brain, and in the brain the values less a constant.
    """
    whole, backgrounds = list(images.values()), [coarse.backgrounds[name] for name in images]
    few, clean = [coarse.images[name] for name in images], coarse.are_clean
    if clean and all(map(_is_zero, backgrounds, few)):
        return whole
    with ThreadPoolExecutor(len(images)) as pool:
        brain_in = Background.differs if clean else _exceeds_ringing
        masks = list(pool.map(brain_in, backgrounds, whole))
        brain = np.logical_or.reduce(masks) if clean else whole_brain_of(masks)
        if clean:  # what is below the background is brain, not ringing
            backgrounds = list(map(_around, backgrounds, whole))
        inside = pool.map(partial(_inside, brain), backgrounds, whole, few)
        return list(pool.map(_subtract_background, whole, backgrounds, inside))


def _is_zero(background: Background, coarse: Image) -> bool:
    return background.levels in ((), (0.0,)) and bool(coarse.min() >= 0)


def _around(background: Background, image: Image) -> Background:
    """The background of an image whose brain may have values below it, however few."""
    below = bool(background.levels) and float(image.min()) < background.levels[0]
    return replace(background, one_sided=background.one_sided and not below)


def _exceeds_ringing(background: Background, image: Image) -> Mask:
    return background.exceeds(image, _RINGING_SHARE)


def _inside(brain: Mask, background: Background, image: Image, coarse: Image) -> Mask:
    """The brain in one image: without voxels that have exactly the value of the background.

    The own mask of an image can be smaller than the brain of all modalities. Whole numbers on
    both sides of the background have its value in the brain as well.
    """
    if background.noise or not background.levels:
        return brain
    if not background.one_sided and np.array_equal(coarse, np.rint(coarse)):
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
