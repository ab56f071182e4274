"""Masks of the nested regions, from tissue classes and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smalltumor.labels.regions import Region, TissueClass

Classes = npt.NDArray[np.uint8]
"""Tissue classes (i, j, k), see `smalltumor.labels.regions.TissueClass`."""

Mask = npt.NDArray[np.bool_]
"""Voxels of a region, (i, j, k)."""


def region_mask(classes: npt.NDArray[np.integer], region: Region) -> Mask:
    """Voxels of a region.

    Parameters
    ----------
    classes : (i, j, k) integer array
        Tissue classes.
    region : Region

    Returns
    -------
    (i, j, k) bool array
    """
    if region is Region.WT:
        return np.asarray(classes != TissueClass.BACKGROUND)
    mask = classes == TissueClass.ET
    if region is Region.TC:
        mask |= classes == TissueClass.NCR
    return np.asarray(mask)


def compose_classes(et: npt.ArrayLike, tc: npt.ArrayLike, wt: npt.ArrayLike) -> Classes:
    """Tissue classes from three region masks that may have been edited one by one.

    The inner region wins: every ET voxel is tumour core, and every TC voxel is whole tumour,
    whatever the outer masks say. So adding to ET grows TC and WT, and erasing from WT alone
    cannot remove core.

    Parameters
    ----------
    et, tc, wt : (i, j, k) array
        Anything but zero is inside.

    Returns
    -------
    (i, j, k) uint8 array
        Tissue classes, with ``TC = NCR | ET`` and ``WT = NCR | ED | ET``.
    """
    classes = np.where(np.asarray(wt) != 0, np.uint8(TissueClass.ED), np.uint8(0))
    classes[np.asarray(tc) != 0] = TissueClass.NCR
    classes[np.asarray(et) != 0] = TissueClass.ET
    return classes
