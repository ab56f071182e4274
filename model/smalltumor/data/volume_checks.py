"""What is wrong with the volumes of a case that were read: empty, or not finite."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from smalltumor.data.brain.background import NonfiniteImageError, is_finite
from smalltumor.data.naming.case_files import MODALITY_TITLES, OPTIONAL_MODALITIES
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import CaseError


def check_finite(volumes: Mapping[str, Volume]) -> list[str]:
    """Check that T1CE has no NaN or infinite voxels in the brain.

    Whether the others are needed depends on the weights.

    Returns
    -------
    list of str
        A warning for each other volume that has such voxels.

    Raises
    ------
    NonfiniteImageError
    """
    warnings = []
    for modality in (m for m, volume in volumes.items() if not is_finite(volume.data)):
        text = f"{volumes[modality].path} has NaN or infinite voxels"
        if modality not in OPTIONAL_MODALITIES:
            raise NonfiniteImageError(f"{text}; replace them first")
        title = MODALITY_TITLES[modality]
        warnings.append(f"{text} in the brain; weights that use {title} cannot segment the case")
    return warnings


MAX_INTENSITY = 1e30
"""Absolute value of intensities that can be computed with, in single precision, at most."""


def intensity_range_error(name: str, low: float, high: float) -> CaseError:
    """The error about an image whose intensities reach `MAX_INTENSITY`, or hardly differ."""
    return CaseError(
        f"{name} has intensities from {low:.3g} to {high:.3g}, out of the range that can be "
        "computed with; rescale it"
    )


def remove_empty(
    data: dict[str, npt.NDArray[np.generic]], volumes: Mapping[str, Volume], allow_missing: bool
) -> list[str]:
    """Remove images that are zero everywhere, and return a warning for each.

    Raises
    ------
    CaseError
        If one is needed, or `allow_missing` is false.
    """
    warnings = []
    for modality in [m for m in data if not np.any(data[m])]:
        path = volumes[modality].path
        if not allow_missing or modality not in OPTIONAL_MODALITIES:
            raise CaseError(f"{path} is empty: every voxel is zero")
        del data[modality]
        title = MODALITY_TITLES[modality]
        warnings.append(f"{path}: every voxel of {title} is zero; it counts as missing")
    return warnings
