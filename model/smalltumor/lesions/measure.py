"""Lesions: the connected components of a region, measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.errors import GridMismatchError
from smalltumor.labels.components import (
    Components,
    Integers,
    connected_components,
    largest_diameter,
)
from smalltumor.labels.lesion_list import LesionList
from smalltumor.labels.masks import Mask
from smalltumor.labels.regions import REGION_CLASSES, Region, TissueClass
from smalltumor.labels.small_lesions import SMALL_LESION_MM3, is_small
from smalltumor.lesions.axial_diameters import AxialDiameters, axial_diameters
from smalltumor.lesions.location import Side, side_at, upright_slices

if TYPE_CHECKING:
    from smalltumor.data.midsagittal_plane import MidsagittalPlane
    from smalltumor.geometry.grid import Grid

Point = tuple[float, float, float]
Spans = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
ProbabilityLookup = Callable[[Integers], npt.NDArray[np.floating]]
"""Voxel indices (n, 3) to class probabilities (class, n)."""


@dataclass(frozen=True)
class Lesion:
    """One 26-connected component of a region, or a candidate for one.

    Parameters
    ----------
    id : int
        Number in the label image, from 1 (the smallest) up.
    region : Region
    voxels : int
    mm3 : float
    centroid_voxel : (i, j, k)
        Mean voxel index on the source's grid, from 0.
    centroid_ras_mm : (r, a, s)
        The same point in patient coordinates, mm: to the right, anterior and superior.
    bbox : three (start, stop) pairs
        Voxel indices along i, j, k, stop excluded.
    diameter_mm : float
        Largest distance between two outer voxel corners.
    mean_probability, max_probability : float or None
        Probability of the region over the lesion's voxels; None without network output.
    is_small : bool
        Whether its volume is below the threshold.
    accepted : bool or None
        The reviewer's decision; None if there is none.
    side : Side or None
        The patient's side that the centre is on; None if the middle of the brain is not known.
    slices : (axial, coronal, sagittal) or None
        Numbers of the slices through the centre, from 0, as napari shows them for this plugin's
        layers; see `location.upright_slices`.
    slices_by_index : bool
        Whether `slices` are voxel indices, as of a layer that napari shows as it is stored.
    list_name : LesionList
        Which list it is on.
    score : float or None
        Between 0 and 1, higher for lesions that are real more often, see
        `smalltumor.second_look`; None if it is not known.
    decided_by, decided_at : str or None
        Who accepted, added or rejected it, and when (ISO 8601); None if nobody has.
    indices : (voxels, 3) int array or None
        Voxel indices on `grid`, from which `axial` is measured.
    grid : Grid or None
    """

    id: int
    region: Region
    voxels: int
    mm3: float
    centroid_voxel: Point
    centroid_ras_mm: Point
    bbox: Spans
    diameter_mm: float
    mean_probability: float | None
    max_probability: float | None
    is_small: bool
    accepted: bool | None = None
    side: Side | None = None
    slices: tuple[int, int, int] | None = None
    slices_by_index: bool = False
    list_name: LesionList = LesionList.FOUND
    score: float | None = None
    decided_by: str | None = None
    decided_at: str | None = None
    indices: Integers | None = field(default=None, repr=False, compare=False)
    grid: Grid | None = field(default=None, repr=False, compare=False)

    @cached_property
    def axial(self) -> AxialDiameters | None:
        """The two axial diameters; None if the lesion was made without its voxels.

        Of a component of ET those of the solid part, of another region with what it encloses.
        They are measured when they are asked for, since that of a large tumour takes up to a
        second.
        """
        if self.indices is None or self.grid is None:
            return None
        of_outline = self.region != Region.ET
        return axial_diameters(self.indices, self.grid, of_outline=of_outline)

    @property
    def diameters_slice(self) -> int | None:
        """The slice of the axial diameters, numbered as `slices`."""
        if self.axial is None:
            return None
        return self.axial.slice_index if self.slices_by_index else self.axial.slice_number

    @property
    def ml(self) -> float:
        """Volume in ml."""
        return self.mm3 / 1000


def lesion_components(mask: Mask, grid: Grid) -> Components:
    """The components of a region's mask; lesion `id` is number `id` in their label image.

    Parameters
    ----------
    mask : (i, j, k) bool array
    grid : Grid

    Raises
    ------
    GridMismatchError
        If the mask's shape is not the grid's.
    """
    if tuple(mask.shape) != tuple(grid.shape):
        raise GridMismatchError(
            f"the mask has shape {mask.shape} and its grid {tuple(grid.shape)}; "
            "give the grid the mask was made on"
        )
    return connected_components(mask)


def measure_lesions(
    components: Components,
    grid: Grid,
    region: Region,
    threshold: float = SMALL_LESION_MM3,
    lookup: ProbabilityLookup | None = None,
    plane: MidsagittalPlane | None = None,
) -> list[Lesion]:
    """Measure every component.

    Parameters
    ----------
    components : Components
        From `lesion_components`.
    grid : Grid
    region : Region
    threshold : float
        Lesions below this volume in mm3 are small.
    lookup : callable, optional
        Class probabilities at voxels.
    plane : MidsagittalPlane, optional
        Of the brain; without it, lesions have no side.

    Returns
    -------
    list of Lesion
        By ascending id.
    """
    return [
        measure_lesion(number, voxels, grid, region, threshold, lookup, plane)
        for number, voxels in enumerate(components.voxels, start=1)
    ]


def measure_lesion(
    number: int,
    voxels: Integers,
    grid: Grid,
    region: Region,
    threshold: float = SMALL_LESION_MM3,
    lookup: ProbabilityLookup | None = None,
    plane: MidsagittalPlane | None = None,
) -> Lesion:
    """Measure a lesion of one or several components.

    Parameters
    ----------
    number : int
        Its `id`.
    voxels : (n, 3) int array
        Voxel indices in scan order.
    grid, region, threshold, lookup, plane
        As for `measure_lesions`.
    """
    centroid = voxels.mean(axis=0)
    centre = _point(grid.to_patient(centroid))
    first, last = voxels.min(axis=0), voxels.max(axis=0)
    mean = peak = None
    if lookup is not None:
        inside = lookup(voxels)[list(REGION_CLASSES[region])].sum(axis=0)
        inside = np.minimum(inside, 1.0)  # the sum of rounded probabilities may exceed 1
        mean, peak = float(inside.mean()), float(inside.max())
    mm3 = len(voxels) * grid.voxel_volume
    return Lesion(
        id=number,
        region=region,
        voxels=len(voxels),
        mm3=mm3,
        centroid_voxel=_point(centroid),
        centroid_ras_mm=centre,
        bbox=_spans(first, last + 1),
        diameter_mm=largest_diameter(voxels, grid.affine),
        mean_probability=mean,
        max_probability=peak,
        is_small=is_small(mm3, threshold),
        side=None if plane is None else side_at(float(plane.distance_mm(centre))),
        slices=upright_slices(grid, centroid),
        indices=voxels,
        grid=grid,
    )


def without_probability_if_painted(lesion: Lesion) -> Lesion:
    """The lesion without probabilities if the network cannot have found a voxel of it.

    The most probable class of a voxel has at least one divided by the number of classes.
    """
    if lesion.max_probability is None or lesion.max_probability >= 1 / len(TissueClass):
        return lesion
    return replace(lesion, mean_probability=None, max_probability=None)


def _point(values: npt.NDArray[np.float64]) -> Point:
    i, j, k = (float(v) for v in values)
    return i, j, k


def _spans(start: Integers, stop: Integers) -> Spans:
    i, j, k = ((int(a), int(b)) for a, b in zip(start, stop, strict=True))
    return i, j, k
