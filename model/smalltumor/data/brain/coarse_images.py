"""Images on one grid in voxels about 4 mm apart, and their backgrounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.brain.background import Background, Image, estimate_background, surroundings
from smalltumor.data.brain.brain_mask import are_clean, brain_masks
from smalltumor.geometry.boxes import Box

if TYPE_CHECKING:
    from smalltumor.geometry.grid import Grid
    from smalltumor.labels.masks import Mask

COARSE_MM = 4.0
"""Distance, in mm, of the voxels that are looked at first."""

_COARSE_VOXELS = 32
"""Smallest number of these voxels along an axis, if the image has as many."""


@dataclass(frozen=True)
class CoarseImages:
    """Voxels about 4 mm apart of images on one grid, with the backgrounds of the images.

    They are counted from a corner of the box of what the images show, so that they are the same
    ones if the images are padded by a constant background, or cropped in it.

    Parameters
    ----------
    steps : three slices
        Those voxels of the images.
    images : dict of str to (i, j, k) array
        By modality.
    backgrounds : dict of str to Background
        By modality.
    """

    steps: Box
    images: Mapping[str, Image]
    backgrounds: Mapping[str, Background]

    @cached_property
    def are_clean(self) -> bool:
        """Whether the backgrounds are constants, and nothing but the brain differs from them."""
        return are_clean([*self.backgrounds.values()], [*self.images.values()])

    @cached_property
    def brain_masks(self) -> Mapping[str, Mask]:
        """The brain in each image by itself, (i, j, k) bool."""
        masks = brain_masks([*self.images.values()], [*self.backgrounds.values()])
        return dict(zip(self.images, masks, strict=True))

    def voxel_volume(self, grid: Grid) -> float:
        """Volume that a voxel stands for, in mm^3, if `grid` is that of the images."""
        return grid.voxel_volume * float(np.prod([step.step for step in self.steps]))

    def of(self, modalities: Iterable[str]) -> CoarseImages:
        """Some of the images."""
        names = list(modalities)
        return CoarseImages(
            self.steps,
            {name: self.images[name] for name in names},
            {name: self.backgrounds[name] for name in names},
        )


def coarse_images(images: Mapping[str, Image], spacing: npt.ArrayLike) -> CoarseImages:
    """Take voxels of images, and estimate their backgrounds.

    Parameters
    ----------
    images : dict of str to (i, j, k) array
        At least one, all of one shape; finite values.
    spacing : (3,) float
        Voxel size in mm.
    """
    around = {name: surroundings(image) for name, image in images.items()}
    shape = next(iter(images.values())).shape
    steps = coarse_steps(_united([s.box for s in around.values()], shape), spacing)
    coarse = {name: image[steps].copy() for name, image in images.items()}
    backgrounds = {
        name: estimate_background(image, around[name].levels, coarse[name])
        for name, image in images.items()
    }
    return CoarseImages(steps, coarse, backgrounds)


def _united(boxes: Iterable[Box], shape: tuple[int, ...]) -> Box:
    """The smallest box around boxes; the whole volume if all are empty."""
    filled = [box for box in boxes if all(span.stop > span.start for span in box)]
    if not filled:
        i, j, k = (slice(0, n) for n in shape)
    else:
        i, j, k = (
            slice(min(span.start for span in spans), max(span.stop for span in spans))
            for spans in zip(*filled, strict=True)
        )
    return i, j, k


def coarse_steps(box: Box, spacing: npt.ArrayLike) -> Box:
    """Slices that take every n-th voxel of a box along each axis, about `COARSE_MM` apart.

    Parameters
    ----------
    box : three slices
    spacing : (3,) float
        Voxel size in mm.
    """
    i, j, k = (
        slice(span.start, span.stop, _step(span.stop - span.start, float(size)))
        for span, size in zip(box, np.asarray(spacing, dtype=float), strict=True)
    )
    return i, j, k


def _step(length: int, size: float) -> int:
    return max(1, min(round(COARSE_MM / size), length // _COARSE_VOXELS))
