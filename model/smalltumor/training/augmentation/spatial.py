"""Flips, rotations and zooms, which move the image and its labels together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from smalltumor.training.augmentation.settings import Augmentation

_BRAIN = 128
"""Added to the tissue class inside the brain."""


def flip_and_transpose(
    image: Tensor, classes: Tensor, settings: Augmentation, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Flip along random axes and exchange the first two; no voxel is interpolated.

    Parameters
    ----------
    image : (channel, i, j, k) tensor
    classes : (i, j, k) tensor
    settings : Augmentation
    rng : numpy.random.Generator
    """
    axes = [axis - 3 for axis in range(3) if rng.random() < settings.flip]
    image, classes = image.flip(axes), classes.flip(axes)
    if rng.random() < settings.turn:
        image, classes = image.transpose(1, 2), classes.transpose(0, 1)
    return image, classes


def rotate_and_zoom(
    image: Tensor,
    classes: Tensor,
    settings: Augmentation,
    rng: np.random.Generator,
    margin: int,
) -> tuple[Tensor, Tensor]:
    """Rotate and zoom about the centre; voxels from outside are background.

    Intensities are interpolated linearly. Labels, and what is brain, are those of the nearest
    voxel.

    Parameters
    ----------
    image : (channel, i, j, k) float32 tensor
    classes : (i, j, k) uint8 tensor
    settings : Augmentation
    rng : numpy.random.Generator
    margin : int
        Voxels to be cut off each side.
    """
    degrees = rng.uniform(-settings.rotate, settings.rotate, size=3)
    matrix = _rotation(np.deg2rad(degrees)) * rng.uniform(1 - settings.zoom, 1 + settings.zoom)
    # affine_grid counts axes from the last and in units of half their length.
    given = np.array(classes.shape[::-1], dtype=float)
    matrix = matrix * (given - 2 * margin)[None, :] / given[:, None]
    theta = torch.from_numpy(np.hstack([matrix, np.zeros((3, 1))])[None]).float()
    shape = [length - 2 * margin for length in classes.shape]
    grid = functional.affine_grid(theta.to(image.device), [1, 1, *shape], align_corners=False)
    # Labels and brain as one channel, because sampling is what takes the time.
    code = (classes + _BRAIN * brain_mask(image)).float()
    code = functional.grid_sample(code[None, None], grid, mode="nearest", align_corners=False)[0]
    warped = functional.grid_sample(image[None], grid, align_corners=False)[0]
    moved = code[0].to(torch.uint8)
    return torch.where(moved >= _BRAIN, warped, 0), moved % _BRAIN


def brain_mask(image: Tensor) -> Tensor:
    """Voxels at which any modality differs from the background.

    Parameters
    ----------
    image : (channel, i, j, k) tensor

    Returns
    -------
    (i, j, k) bool tensor
    """
    brain = image[0] != 0
    for modality in image[1:]:
        brain |= modality != 0
    return brain


def _rotation(angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        turn = np.eye(3)
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    return matrix
