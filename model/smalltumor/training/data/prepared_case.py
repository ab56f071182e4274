"""A training case as inference would see it, in the form in which it is kept in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

Box = tuple[slice, ...]

_WHOLE: Box = (slice(None),) * 3


@dataclass(frozen=True)
class PreparedCase:
    """One case, normalised and cropped to the brain.

    Parameters
    ----------
    name : str
    image : (channel, i, j, k) float16 tensor
        Normalised modalities, 0 outside the brain; usually mapped from a file.
    classes : (i, j, k) uint8 tensor
        Tissue classes.
    crop_centres : (n, 6) int32 array
        Voxels to centre crops on, see `find_crop_centres`.
    """

    name: str
    image: Tensor
    classes: Tensor
    crop_centres: npt.NDArray[np.int32]

    def intensities(self, box: Box = _WHOLE) -> Tensor:
        """A box of the normalised image.

        Parameters
        ----------
        box : three slices, optional
            By default all voxels.

        Returns
        -------
        (channel, i, j, k) float32 tensor
        """
        return self.image[:, *box].float()
