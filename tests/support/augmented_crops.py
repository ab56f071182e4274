"""Augment one crop, or change the intensities of one volume."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from smalltumor.training.augmentation.augment import CropChanges, augment
from smalltumor.training.augmentation.intensity import change_intensities, sample_changes
from smalltumor.training.augmentation.settings import Augmentation
from torch import Tensor


def augment_one(
    image: Tensor,
    classes: Tensor,
    settings: Augmentation,
    rng: np.random.Generator,
    margin: int = 0,
) -> tuple[Tensor, Tensor]:
    """An augmented copy of a crop with a margin."""
    changes = CropChanges.sample(settings, classes.shape[0] - 2 * margin, len(image), rng)
    images, labels = augment([(image, classes)], [replace(changes, margin=margin)])
    return images[0], labels[0]


def change_one(
    volume: Tensor, brain: Tensor, settings: Augmentation, rng: np.random.Generator
) -> Tensor:
    """A copy of a modality with other intensities."""
    return change_intensities(volume[None].clone(), brain[None], [sample_changes(settings, rng)])[0]
