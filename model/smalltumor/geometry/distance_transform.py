"""The distance of each voxel to the nearest voxel outside a mask, also in a sheared grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.voxel import Voxel


def distances_to_outside(
    mask: npt.NDArray[np.bool_], voxel: Voxel
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Distance of the centre of each voxel of a mask to that of the nearest voxel outside, in mm.

    Parameters
    ----------
    mask : (i, j, k) bool array
        Not of all voxels.
    voxel : Voxel

    Returns
    -------
    distances : (i, j, k) float64 array
        0 outside the mask.
    nearest : (3, i, j, k) int array
        Indices of the nearest voxel outside; a voxel outside has its own.
    """
    from scipy.ndimage import distance_transform_edt
    from scipy.spatial import KDTree

    if voxel.is_box:
        distances, nearest = distance_transform_edt(mask, voxel.spacing, return_indices=True)
        return distances, nearest
    outside, inside = np.argwhere(~mask), np.argwhere(mask)
    found, number = KDTree(voxel.places(outside)).query(voxel.places(inside))
    distances = np.zeros(mask.shape)
    nearest = np.indices(mask.shape)
    distances[mask] = found
    nearest[:, mask] = outside[number].T
    return distances, nearest
