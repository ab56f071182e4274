"""Augment training crops, on the device on which they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from smalltumor.training.augmentation.intensity import Changes, change_intensities, sample_changes
from smalltumor.training.augmentation.settings import Augmentation
from smalltumor.training.augmentation.spatial import SpatialTransform, brain_mask


@dataclass(frozen=True)
class CropChanges:
    """What augmentation does to one crop.

    Parameters
    ----------
    transform : SpatialTransform
    margin : int
        Voxels that the crop needs on each side, to be rotated or zoomed into it; without them the
        corners of a rotated crop would be background instead of brain.
    intensities : tuple of `Changes`
        For each modality by itself.
    """

    transform: SpatialTransform
    margin: int
    intensities: tuple[Changes, ...]

    @classmethod
    def sample(
        cls, settings: Augmentation, crop: int, channels: int, rng: np.random.Generator
    ) -> CropChanges:
        """Random changes of a crop.

        Parameters
        ----------
        settings : Augmentation
        crop : int
            Voxels along each axis.
        channels : int
            Modalities.
        rng : numpy.random.Generator
            The only source of chance, so that a crop depends neither on the device nor on the
            other crops of its batch.
        """
        transform = SpatialTransform.sample(settings, rng)
        margin = 0 if transform.matrix is None else settings.margin(crop)
        return cls(transform, margin, tuple(sample_changes(settings, rng) for _ in range(channels)))


def augment(
    crops: Sequence[tuple[Tensor, Tensor]], changes: Sequence[CropChanges]
) -> tuple[Tensor, Tensor]:
    """Augmented copies of crops, as a batch.

    Parameters
    ----------
    crops : sequence of (image, classes)
        Normalised modalities, (channel, i, j, k) float32 and 0 outside the brain, and tissue
        classes, (i, j, k) uint8; with the margin of their changes on each side. The first two axes
        should be of one length unless no crop is transposed.
    changes : sequence of CropChanges

    Returns
    -------
    image : (b, channel, i, j, k) float32 tensor
    classes : (b, i, j, k) uint8 tensor
    """
    moved = [
        change.transform.apply(image, classes, change.margin)
        for (image, classes), change in zip(crops, changes, strict=True)
    ]
    image = torch.stack([image for image, _ in moved])
    classes = torch.stack([classes for _, classes in moved])
    drawn = [volume for change in changes for volume in change.intensities]
    change_intensities(image.flatten(0, 1), brain_mask(image), drawn)
    return image, classes
