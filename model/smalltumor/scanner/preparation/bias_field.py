"""Correction of the bias field with SimpleITK's N4."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.grid import Grid
from smalltumor.scanner.registration.sitk_images import simpleitk, to_sitk

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask

_SHRINK_MM = 4.0
"""Voxel size at which N4 estimates the field."""

_ITERATIONS = (40, 40, 30)


def correct_bias_field(
    image: npt.NDArray[np.generic], brain: Mask, grid: Grid
) -> npt.NDArray[np.float32]:
    """Divide an image by its bias field (Tustison et al. 2010, doi 10.1109/TMI.2010.2046908).

    The field is estimated within the brain at about 4 mm.

    Parameters
    ----------
    image : (i, j, k) array on `grid`
    brain : (i, j, k) bool array
    grid : Grid

    Returns
    -------
    (i, j, k) float32 array
        0 outside the brain, if the image is.

    Raises
    ------
    MissingPackageError
        If SimpleITK is not installed.
    """
    sitk = simpleitk()
    whole, mask = to_sitk(image, grid), to_sitk(brain, grid)
    factors = [max(1, round(_SHRINK_MM / float(size))) for size in grid.spacing]
    correction = sitk.N4BiasFieldCorrectionImageFilter()
    correction.SetMaximumNumberOfIterations(list(_ITERATIONS))
    correction.Execute(sitk.Shrink(whole, factors), sitk.Shrink(mask, factors))
    logarithm = sitk.GetArrayFromImage(correction.GetLogBiasFieldAsImage(whole)).T
    return np.asarray(image / np.exp(logarithm), dtype=np.float32)
