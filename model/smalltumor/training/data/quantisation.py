"""Normalised intensities in 8 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_LEVELS = 255
"""Codes of brain voxels, from 1; 0 is the background."""

_PERCENTILES = (0.05, 99.95)
"""A few extreme voxels must not make the steps of all others coarse."""


@dataclass(frozen=True)
class Quantisation:
    """The intensities that the codes 1 to 255 of each modality stand for, at equal distances.

    Parameters
    ----------
    lowest, step : tuple of float
        For each modality: the intensity of code 1, and the distance of two codes. Code 0 is the
        background, whose intensity is exactly 0.
    """

    lowest: tuple[float, ...]
    step: tuple[float, ...]

    @classmethod
    def of(cls, image: npt.NDArray[np.floating]) -> Quantisation:
        """Codes for the intensities of an image.

        Parameters
        ----------
        image : (channel, i, j, k) float array
            Normalised modalities, 0 outside the brain.
        """
        brain = (image != 0).any(axis=0)
        if not brain.any():
            return cls((0.0,) * len(image), (0.0,) * len(image))
        ranges = [np.percentile(modality[brain], _PERCENTILES) for modality in image]
        return cls(
            tuple(float(low) for low, _ in ranges),
            tuple(float(high - low) / (_LEVELS - 1) for low, high in ranges),
        )

    def encode(self, image: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
        """The codes of the nearest intensities; those beyond the lowest and highest are clipped.

        Parameters
        ----------
        image : (channel, i, j, k) float array

        Returns
        -------
        (channel, i, j, k) uint8 array
        """
        brain = (image != 0).any(axis=0)
        codes = np.zeros(image.shape, np.uint8)
        for modality, code, lowest, step in zip(image, codes, self.lowest, self.step, strict=True):
            number = (modality[brain].astype(np.float32) - lowest) / (step or 1.0)
            code[brain] = np.clip(np.rint(number), 0, _LEVELS - 1) + 1
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """The intensities of codes.

        Parameters
        ----------
        codes : (channel, i, j, k) uint8 tensor

        Returns
        -------
        (channel, i, j, k) float32 tensor
            On the same device.
        """
        step = torch.tensor(self.step, device=codes.device).view(-1, 1, 1, 1)
        lowest = torch.tensor(self.lowest, device=codes.device).view(-1, 1, 1, 1)
        return torch.where(codes > 0, codes * step + (lowest - step), 0)
