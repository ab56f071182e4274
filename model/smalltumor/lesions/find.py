"""Finding the lesions of a segmentation or an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.labels.masks import Mask, region_mask
from smalltumor.labels.regions import Region
from smalltumor.labels.small_lesions import SMALL_LESION_MM3
from smalltumor.lesions.measure import Lesion, ProbabilityLookup, lesion_components, measure_lesions
from smalltumor.lesions.table import sort_lesions

if TYPE_CHECKING:
    from smalltumor.data.midsagittal_plane import MidsagittalPlane
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.geometry.grid import Grid


def find_lesions(
    source: Segmentation | npt.NDArray[np.integer] | Mask,
    grid: Grid | None = None,
    *,
    region: Region | str = Region.ET,
    threshold: float = SMALL_LESION_MM3,
    probabilities: npt.NDArray[np.floating] | None = None,
    sort_by: str = "voxels",
    plane: MidsagittalPlane | None = None,
) -> list[Lesion]:
    """Find the lesions of a region, by default sorted from small to large.

    Parameters
    ----------
    source : Segmentation, or (i, j, k) array
        An integer array holds tissue classes; a bool array is the region's mask.
    grid : Grid, optional
        Grid of the array; not needed for a segmentation, which has one.
    region : Region or its name
    threshold : float
        Lesions below this volume in mm3 are small.
    probabilities : (4, i, j, k) float array, optional
        Class probabilities on the same grid; by default those of the segmentation, if any.
    sort_by : str
        One of `smalltumor.lesions.table.COLUMNS`, ascending; lesions without a value come last.
    plane : MidsagittalPlane, optional
        Of the brain, see `smalltumor.data.midsagittal_plane`; without it, lesions have no side.

    Raises
    ------
    GridMismatchError
        If an array's shape is not its grid's.
    TypeError
        If an array is given without its grid.
    """
    region = Region(region)
    lookup = None if probabilities is None else _look_up_in(probabilities)
    if not isinstance(source, np.ndarray):
        grid = source.grid
        if lookup is None and source.cropped is not None:
            lookup = source.cropped.at
        source = source.classes
    if grid is None:
        raise TypeError("find_lesions needs the grid that the array lies on")
    components = lesion_components(_mask(source, region), grid)
    lesions = measure_lesions(components, grid, region, threshold, lookup, plane)
    return sort_lesions(lesions, sort_by)


def _mask(array: npt.NDArray[np.integer] | Mask, region: Region) -> Mask:
    if array.dtype == bool:
        return array.astype(bool, copy=False)
    return region_mask(array.astype(array.dtype, copy=False), region)


def _look_up_in(probabilities: npt.NDArray[np.floating]) -> ProbabilityLookup:
    return lambda voxels: probabilities[:, voxels[:, 0], voxels[:, 1], voxels[:, 2]]
