"""Conversion between tissue classes and masks of the nested regions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smalltumor.labels.regions import Region, TissueClass

Classes = npt.NDArray[np.uint8]
"""Tissue classes (i, j, k), see `smalltumor.labels.regions.TissueClass`."""

Mask = npt.NDArray[np.bool_]
"""Voxels of a region, (i, j, k)."""


def class_mask(classes: npt.NDArray[np.integer], tissue: TissueClass) -> Mask:
    """Select the voxels of one tissue class, (i, j, k) bool."""
    # As a plain integer: NumPy takes a member of an enumeration for an int64, and converts all
    # voxels to it, which takes six times as long.
    return np.asarray(classes == int(tissue))


def region_mask(classes: npt.NDArray[np.integer], region: Region | str) -> Mask:
    """Select the voxels of a region.

    Parameters
    ----------
    classes : (i, j, k) integer array
        Tissue classes.
    region : Region or {"et", "tc", "wt"}

    Returns
    -------
    (i, j, k) bool array

    Raises
    ------
    ValueError
        If there is no such region.
    """
    region = Region(region)
    if region == Region.WT:
        return np.asarray(classes != 0)
    mask = class_mask(classes, TissueClass.ET)
    if region == Region.TC:
        mask |= class_mask(classes, TissueClass.NCR)
    return mask


def compose_classes(et: npt.ArrayLike, tc: npt.ArrayLike, wt: npt.ArrayLike) -> Classes:
    """Combine three region masks, which may have been edited separately, to tissue classes.

    The inner region has priority: every ET voxel is tumour core and every TC voxel is whole
    tumour, whatever the outer masks hold. Adding to ET therefore adds to TC and WT, and erasing
    from WT alone cannot remove core.

    Parameters
    ----------
    et, tc, wt : (i, j, k) array
        Nonzero voxels are inside.

    Returns
    -------
    (i, j, k) uint8 array
        Tissue classes, with ``TC = NCR | ET`` and ``WT = NCR | ED | ET``.
    """
    classes = np.where(np.asarray(wt) != 0, np.uint8(TissueClass.ED), np.uint8(0))
    classes[np.asarray(tc) != 0] = TissueClass.NCR
    classes[np.asarray(et) != 0] = TissueClass.ET
    return classes
