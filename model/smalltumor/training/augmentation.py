"""Random changes of training crops, such as differences between patients and scanners.

Every function gets its random generator, so that a crop depends only on the seed, the step and
its position in the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]
Classes = npt.NDArray[np.uint8]

_PAPER_DEGREES = 10.0
_MARGIN = 0.15
"""Margin that rotating and zooming needs, as a fraction of the crop's length."""


@dataclass(frozen=True)
class Augmentation:
    """Strength of the augmentation.

    Parameters
    ----------
    flip : float
        Probability of a flip, for each axis.
    turn : float
        Probability of exchanging the first two axes; together with the flips this gives every
        rotation by right angles about the head's long axis.
    rotate : float
        Largest rotation about each axis in degrees (Ngo et al. 2020: 10).
    zoom : float
        Largest relative change of scale (Ngo et al. 2020: 0.1).
    warp : float
        Probability that a crop is rotated and zoomed, which interpolates every voxel.
    shift, scale : float
        Largest change of a modality's mean, in standard deviations, and of its contrast.
    gamma : float
        Largest absolute logarithm of the exponent of a gamma correction.
    noise : float
        Largest standard deviation of added Gaussian noise, in standard deviations of the modality.
    """

    flip: float = 0.5
    turn: float = 0.0
    rotate: float = _PAPER_DEGREES
    zoom: float = 0.1
    warp: float = 1.0
    shift: float = 0.1
    scale: float = 0.1
    gamma: float = 0.0
    noise: float = 0.0

    def margin(self, crop: int) -> int:
        """Voxels that `augment` needs on each side of a crop, to rotate and zoom it."""
        return round(_MARGIN * crop) if self.warp and (self.rotate or self.zoom) else 0


def augment(
    image: Image,
    classes: Classes,
    settings: Augmentation,
    rng: np.random.Generator,
    margin: int = 0,
) -> tuple[Image, Classes]:
    """An augmented copy of a crop.

    Parameters
    ----------
    image : (channel, i, j, k) float32 array
        Normalised modalities, 0 outside the brain.
    classes : (i, j, k) uint8 array
    settings : Augmentation
    rng : numpy.random.Generator
    margin : int
        Voxels on each side that are there only to be rotated or zoomed into the crop; without them
        the corners of a rotated crop would be background instead of brain.

    Returns
    -------
    image, classes : arrays
        Shorter by `margin` on each side, C-contiguous. The first two axes should be of one length
        unless `turn` is 0.
    """
    if settings.warp and rng.random() < settings.warp:
        image, classes = _warp(image, classes, settings, rng, margin)
    elif margin:
        inner = (slice(margin, -margin),) * 3
        image, classes = image[:, *inner], classes[inner]
    image, classes = _flip_and_transpose(image, classes, settings, rng)
    image = np.array(image, dtype=np.float32, order="C")
    for modality in image:
        _change_intensities(modality, settings, rng)
    return image, np.ascontiguousarray(classes)


def _flip_and_transpose(
    image: Image, classes: Classes, settings: Augmentation, rng: np.random.Generator
) -> tuple[Image, Classes]:
    axes = [axis for axis in range(3) if rng.random() < settings.flip]
    image = np.flip(image, tuple(1 + axis for axis in axes))
    classes = np.flip(classes, tuple(axes))
    if rng.random() < settings.turn:
        image, classes = image.swapaxes(1, 2), classes.swapaxes(0, 1)
    return image, classes


def _change_intensities(modality: Image, settings: Augmentation, rng: np.random.Generator) -> None:
    """Change intensities in place, in the brain only: the background stays exactly 0."""
    brain = modality != 0
    values = modality[brain]
    if not values.size:
        return
    if settings.gamma:
        low, span = values.min(), np.ptp(values) + np.float32(1e-6)
        exponent = np.exp(rng.uniform(-settings.gamma, settings.gamma))
        changed = ((values - low) / span) ** np.float32(exponent) * span + low
        values = _like(changed, values)
    contrast = 1 + rng.uniform(-settings.scale, settings.scale)
    values = values * np.float32(contrast) + np.float32(rng.uniform(-1, 1) * settings.shift)
    if settings.noise:
        std = np.float32(rng.uniform(0, settings.noise))
        values += std * rng.standard_normal(values.shape, dtype=np.float32)
    modality[brain] = values


def _like(changed: Image, values: Image) -> Image:
    """The changed intensities with the mean and standard deviation of the original ones."""
    std = changed.std() + np.float32(1e-6)
    return np.asarray((changed - changed.mean()) / std * values.std() + values.mean())


def _warp(
    image: Image,
    classes: Classes,
    settings: Augmentation,
    rng: np.random.Generator,
    margin: int,
) -> tuple[Image, Classes]:
    """Rotate and zoom about the centre; voxels from outside are background."""
    import torch
    from torch.nn import functional

    degrees = rng.uniform(-settings.rotate, settings.rotate, size=3)
    matrix = _rotation(np.deg2rad(degrees)) * rng.uniform(1 - settings.zoom, 1 + settings.zoom)
    # affine_grid counts axes from the last and in units of half their length.
    given = np.asarray(classes.shape[::-1], dtype=float)
    matrix = matrix * (given - 2 * margin)[None, :] / given[:, None]
    theta = torch.from_numpy(np.hstack([matrix, np.zeros((3, 1))])[None]).float()
    shape = [length - 2 * margin for length in classes.shape]
    grid = functional.affine_grid(theta, [1, 1, *shape], align_corners=False)

    def sample(volume: npt.NDArray[np.generic], mode: str) -> Image:
        tensor = torch.from_numpy(np.ascontiguousarray(volume, dtype=np.float32))[None]
        return functional.grid_sample(tensor, grid, mode=mode, align_corners=False)[0].numpy()

    warped = sample(image, "bilinear")
    warped *= sample((image != 0).any(axis=0, keepdims=True), "nearest") != 0
    return warped, sample(classes[None], "nearest")[0].astype(np.uint8)


def _rotation(angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        turn = np.eye(3)
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    return matrix
