"""The sizes below which a lesion is small, and below which it may be a speck.

Lesions, evaluation, training, command line and plugin share it. This module does not import numpy,
so that the command line's help loads instantly.
"""

from __future__ import annotations

SMALL_LESION_VOXELS = 2000
"""Components with fewer voxels than this are small (Ngo et al. 2020, section 3).

Evaluation and training count voxels, as the paper does on BraTS images, whose voxels are 1 mm3.
"""

SMALL_LESION_MM3 = SMALL_LESION_VOXELS
"""The same size in mm3 of the patient, for images of any voxel size."""

SPECK_MM3 = 20
"""Volume in mm3 below which the Lesions dock folds uncertain components by default."""

_ROUNDING = 1e-6
"""Relative error of a volume: affines are stored in single precision."""


def is_small(mm3: float, threshold: float = SMALL_LESION_MM3) -> bool:
    """Whether a volume in mm3 is below a threshold in mm3."""
    return mm3 < threshold * (1 - _ROUNDING)


def is_at_most(mm3: float, limit: float) -> bool:
    """Whether a volume in mm3 is up to a limit in mm3, which is included."""
    return mm3 <= limit * (1 + _ROUNDING)
