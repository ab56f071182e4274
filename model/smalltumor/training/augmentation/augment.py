"""Augment a training crop, on the device on which it lies."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from smalltumor.training.augmentation.intensity import change_intensities
from smalltumor.training.augmentation.settings import Augmentation
from smalltumor.training.augmentation.spatial import (
    brain_mask,
    flip_and_transpose,
    rotate_and_zoom,
)


def augment(
    image: Tensor,
    classes: Tensor,
    settings: Augmentation,
    rng: np.random.Generator,
    margin: int = 0,
) -> tuple[Tensor, Tensor]:
    """An augmented copy of a crop.

    Parameters
    ----------
    image : (channel, i, j, k) float32 tensor
        Normalised modalities, 0 outside the brain.
    classes : (i, j, k) uint8 tensor
    settings : Augmentation
    rng : numpy.random.Generator
        The only source of chance, so that a crop depends only on the seed, the step and its
        position in the batch, and not on the device.
    margin : int
        Voxels on each side that are there only to be rotated or zoomed into the crop; without them
        the corners of a rotated crop would be background instead of brain.

    Returns
    -------
    image, classes : tensors
        Shorter by `margin` on each side, C-contiguous. The first two axes should be of one length
        unless `turn` is 0.
    """
    if settings.warp and rng.random() < settings.warp:
        image, classes = rotate_and_zoom(image, classes, settings, rng, margin)
    elif margin:
        inner = (..., *(slice(margin, -margin),) * 3)
        image, classes = image[inner], classes[inner]
    image, classes = flip_and_transpose(image, classes, settings, rng)
    brain = brain_mask(image)
    changed = [change_intensities(modality, brain, settings, rng) for modality in image]
    return torch.stack(changed), classes.contiguous()
