"""Images with any background are reduced to one form: 0 outside the brain and positive in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
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

_MIN_SHARE = 1e-6
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
    volumes = [
        _Volume(image, coarse.images[name], coarse.backgrounds[name])
        for name, image in images.items()
    ]
    if not coarse.are_clean:
        return _without_noise(volumes)
    if all(volume.has_form for volume in volumes):
        return [volume.image for volume in volumes]
    return _without_constants(volumes)


@dataclass(frozen=True)
class _Volume:
    """An image, its coarse voxels and its background."""

    image: Image
    coarse: Image
    background: Background

    @property
    def has_form(self) -> bool:
        """Whether the background is 0 and nothing is below it."""
        return self.background.levels in ((), (0.0,)) and bool(self.coarse.min() >= 0)


def _without_noise(volumes: Sequence[_Volume]) -> list[Image]:
    """Images with noise or ringing outside the brain."""
    with ThreadPoolExecutor(len(volumes)) as pool:
        masks = list(pool.map(_exceeds_ringing, volumes))
        return _within(whole_brain_of(masks), volumes, pool)


def _without_constants(volumes: Sequence[_Volume]) -> list[Image]:
    """Images that differ from constants in the brain only."""
    with ThreadPoolExecutor(len(volumes)) as pool:
        masks = list(pool.map(lambda volume: volume.background.differs(volume.image), volumes))
        sides = list(map(_with_both_sides, volumes))
        return _within(np.logical_or.reduce(masks), sides, pool)


def _exceeds_ringing(volume: _Volume) -> Mask:
    return volume.background.exceeds(volume.image, _RINGING_SHARE)


def _with_both_sides(volume: _Volume) -> _Volume:
    """A volume whose brain may have values below the constant, however few: they are no ringing."""
    background = volume.background
    below = bool(background.levels) and float(volume.image.min()) < background.levels[0]
    return replace(
        volume, background=replace(background, one_sided=background.one_sided and not below)
    )


def _within(brain: Mask, volumes: Sequence[_Volume], pool: ThreadPoolExecutor) -> list[Image]:
    """The images less their backgrounds; 0 outside the brain of all modalities."""
    inside = pool.map(partial(_brain_of, brain=brain), volumes)
    return list(pool.map(_subtract_background, volumes, inside))


def _brain_of(volume: _Volume, brain: Mask) -> Mask:
    """The brain in one image: without voxels that have exactly the value of the background.

    The own mask of an image can be smaller than the brain of all modalities. Whole numbers on
    both sides of the background have its value in the brain as well.
    """
    background, coarse = volume.background, volume.coarse
    if background.noise or not background.levels:
        return brain
    if not background.one_sided and np.array_equal(coarse, np.rint(coarse)):
        return brain
    return brain & Background(background.levels[:1]).differs(volume.image)


def _subtract_background(volume: _Volume, inside: Mask) -> Image:
    """Subtract the background, or the smallest value of a brain that is partly below it."""
    image, background = volume.image, volume.background
    result = np.zeros(image.shape, dtype=np.float32, order="F")
    values = image.T[inside.T].astype(np.float64)  # transposed: in the order of memory
    if values.size:
        above = background.levels and background.one_sided
        base = background.levels[0] if above else values.min()
        values -= base
        np.maximum(values, _MIN_SHARE * values.max(), out=values)
        with np.errstate(over="ignore"):  # what float32 cannot hold is refused when normalising
            result.T[inside.T] = values
    return result
