"""Flips, rotations and zooms, which move the image and its labels together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from smalltumor.training.augmentation.settings import Augmentation

_BRAIN = 128
"""Added to the tissue class inside the brain."""


@dataclass(frozen=True)
class SpatialTransform:
    """How a crop is moved.

    Parameters
    ----------
    matrix : (3, 3) float array or None
        Rotation and zoom about the crop's centre; None for neither, so that no voxel is
        interpolated.
    flipped : tuple of int
        Axes that are reversed afterwards, counted from the last.
    transposed : bool
        Whether the first two axes are exchanged at last.
    """

    matrix: npt.NDArray[np.float64] | None
    flipped: tuple[int, ...]
    transposed: bool

    @classmethod
    def sample(cls, settings: Augmentation, rng: np.random.Generator) -> SpatialTransform:
        """A random transform."""
        matrix = None
        if settings.affine_probability and rng.random() < settings.affine_probability:
            degrees = rng.uniform(-settings.rotate, settings.rotate, size=3)
            zoom = rng.uniform(1 - settings.zoom, 1 + settings.zoom)
            matrix = _rotation(np.deg2rad(degrees)) * zoom
        flipped = tuple(axis - 3 for axis in range(3) if rng.random() < settings.flip_probability)
        return cls(matrix, flipped, rng.random() < settings.rotate90_probability)

    def apply(self, image: Tensor, classes: Tensor, margin: int = 0) -> tuple[Tensor, Tensor]:
        """The moved crop.

        Parameters
        ----------
        image : (channel, i, j, k) float32 tensor
        classes : (i, j, k) uint8 tensor
        margin : int
            Voxels on each side that are cut off; they are there only to be rotated or zoomed into
            the crop.
        """
        if self.matrix is not None:
            image, classes = _rotate_and_zoom(image, classes, self.matrix, margin)
        elif margin:
            inner = (..., *(slice(margin, -margin),) * 3)
            image, classes = image[inner], classes[inner]
        image, classes = image.flip(self.flipped), classes.flip(self.flipped)
        if self.transposed:
            image, classes = image.transpose(1, 2), classes.transpose(0, 1)
        return image, classes


def _rotate_and_zoom(
    image: Tensor, classes: Tensor, matrix: npt.NDArray[np.float64], margin: int
) -> tuple[Tensor, Tensor]:
    """Rotate and zoom about the centre; voxels from outside are background.

    Intensities are interpolated linearly. Labels, and what is brain, are those of the nearest
    voxel.
    """
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
    image : (..., channel, i, j, k) tensor

    Returns
    -------
    (..., i, j, k) bool tensor
    """
    modalities = image.unbind(dim=-4)
    brain = modalities[0] != 0
    for modality in modalities[1:]:
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
