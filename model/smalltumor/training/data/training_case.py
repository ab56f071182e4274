"""A training case as inference would see it, in the form in which it is kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from smalltumor.data.made_by import MadeBy
from smalltumor.training.data.quantisation import Quantisation

Box = tuple[slice, ...]

_WHOLE: Box = (slice(None),) * 3


@dataclass(frozen=True)
class TrainingCase:
    """One case, normalised and cropped to the brain.

    Parameters
    ----------
    name : str
    image : (channel, i, j, k) float16 or uint8 tensor
        Normalised modalities, 0 outside the brain, usually mapped from a file; or their codes if
        there is a `quantisation`.
    classes : (i, j, k) uint8 tensor
        Tissue classes.
    crop_centres : (n, 6) int32 array
        Voxels to centre crops on, see `find_crop_centres`.
    quantisation : Quantisation, optional
    warnings : tuple of str
        Reasons to doubt the case, for the user.
    made_by : MadeBy, optional
        What made the mask, if its file records that.
    """

    name: str
    image: Tensor
    classes: Tensor
    crop_centres: npt.NDArray[np.int32]
    quantisation: Quantisation | None = None
    warnings: tuple[str, ...] = ()
    made_by: MadeBy | None = None

    def intensities(self, box: Box = _WHOLE) -> Tensor:
        """A box of the normalised image.

        Parameters
        ----------
        box : three slices, optional
            By default all voxels.

        Returns
        -------
        (channel, i, j, k) float32 tensor
            On the device of the case.
        """
        image = self.image[:, *box]
        return image.float() if self.quantisation is None else self.quantisation.decode(image)

    def to(self, device: torch.device) -> TrainingCase:
        """The same case with image and classes in the memory of a device."""
        return replace(self, image=self.image.to(device), classes=self.classes.to(device))


@dataclass(frozen=True)
class TrainingCases:
    """Training and validation cases.

    Parameters
    ----------
    training, validation : sequence of TrainingCase
        Without validation cases the newest averaged network counts as the best.
    """

    training: Sequence[TrainingCase]
    validation: Sequence[TrainingCase] = ()

    @property
    def all(self) -> list[TrainingCase]:
        """Training and validation cases."""
        return [*self.training, *self.validation]
