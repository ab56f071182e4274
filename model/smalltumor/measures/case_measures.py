"""The measures of a case; docs/measures.md defines them for the reader of a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.midsagittal_plane import MidsagittalPlane, midsagittal_plane
from smalltumor.errors import GridMismatchError
from smalltumor.labels.components import Integers
from smalltumor.labels.masks import Classes, Mask, region_mask
from smalltumor.labels.regions import (
    REGION_CLASSES,
    Region,
    TissueClass,
    known_parts,
    known_regions,
)
from smalltumor.labels.small_lesions import SMALL_LESION_MM3
from smalltumor.lesions import (
    Lesion,
    ProbabilityLookup,
    Side,
    lesion_components,
    measure_lesions,
    without_probability_if_painted,
)
from smalltumor.lesions.axial_diameters import AxialDiameters, axial_diameters
from smalltumor.lesions.location import side_at
from smalltumor.measures.sums import BidimensionalSum
from smalltumor.second_look import load_parameters, with_scores

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.geometry.grid import Grid

GiveScores = Callable[[Sequence[Lesion]], Sequence[Lesion]]
"""Gives lesions their scores."""

REGIONS_OF_VOLUMES: Mapping[str, tuple[TissueClass, ...]] = {
    **{region.value: classes for region, classes in REGION_CLASSES.items()},
    "ncr": (TissueClass.NCR,),
    "ed": (TissueClass.ED,),
}
"""Tissue classes of the volumes of a case, by their names in files."""


@dataclass(frozen=True)
class LesionMeasures:
    """A lesion, and where it lies to the midsagittal plane.

    Parameters
    ----------
    lesion : Lesion
    midline_mm : float or None
        Distance of its nearest voxel centre from the midsagittal plane; 0 if it crosses the plane,
        None if the plane is not known.
    centre : (float, float, float)
        In the patient in mm, RAS.
    added_share : float or None
        Share of its voxels to which the network gave another class than ET; None if the class
        probabilities are not known.
    """

    lesion: Lesion
    midline_mm: float | None
    centre: tuple[float, float, float]
    added_share: float | None = None

    @property
    def equivalent_diameter_mm(self) -> float:
        """Diameter of the sphere of the same volume."""
        return equivalent_diameter_mm(self.lesion.mm3)


@dataclass(frozen=True)
class RegionMeasures:
    """A region as a whole, if the case has voxels of it.

    Parameters
    ----------
    equivalent_diameter_mm : float
        Diameter of the sphere of the same volume.
    axial : AxialDiameters
        Of its largest component; of TC and WT with what they enclose.
    side : Side or None
        Side of its centre, or both if it has components on the right and on the left; None if the
        midsagittal plane is not known.
    midline_mm : float or None
        As of `LesionMeasures`.
    """

    equivalent_diameter_mm: float
    axial: AxialDiameters
    side: Side | None
    midline_mm: float | None


@dataclass(frozen=True)
class CaseMeasures:
    """The measures of a case, on the grid of its mask.

    Parameters
    ----------
    name : str
        Of the case.
    volumes_ml : mapping of str to (float or None)
        By the names of `REGIONS_OF_VOLUMES`; None if the mask does not tell a class apart.
    regions : mapping of Region to (RegionMeasures or None)
        None if the region is empty or not known.
    lesions : tuple of LesionMeasures
        Components of ET, the largest first; none if ET is not known, see `tells_lesions`.
    sums : BidimensionalSum or None
        None if no lesion is measurable.
    foci : int or None
        Components of TC; None if TC is not known.
    foci_distance_mm : float or None
        Greatest distance between the centres of two foci; None if there are fewer than two.
    plane : MidsagittalPlane or None
    threshold : float
        Volume in mm3 below which a lesion is small.
    """

    name: str
    volumes_ml: Mapping[str, float | None]
    regions: Mapping[Region, RegionMeasures | None]
    lesions: tuple[LesionMeasures, ...]
    sums: BidimensionalSum | None
    foci: int | None
    foci_distance_mm: float | None
    plane: MidsagittalPlane | None
    threshold: float

    @property
    def known_regions(self) -> tuple[Region, ...]:
        """The regions that the mask tells; the voxels of others would be those of their parts."""
        return tuple(r for r in Region if self.volumes_ml[r.value] is not None)

    @property
    def tells_lesions(self) -> bool:
        """Whether the mask tells ET: if not, it is not known that there is no lesion."""
        return self.volumes_ml[Region.ET.value] is not None

    @property
    def small_lesions(self) -> tuple[LesionMeasures, ...]:
        """The small lesions, the largest first."""
        return tuple(each for each in self.lesions if each.lesion.is_small)

    @property
    def measurable(self) -> tuple[LesionMeasures, ...]:
        """The measurable lesions, the largest volume first."""
        found = ((each, each.lesion.axial) for each in self.lesions)
        return tuple(each for each, axial in found if axial is not None and axial.measurable)


def measure_case(
    case: Case,
    segmentation: Segmentation,
    *,
    threshold: float = SMALL_LESION_MM3,
) -> CaseMeasures:
    """Measure a segmentation of a case.

    Parameters
    ----------
    case : Case
        Its images show the midsagittal plane.
    segmentation : Segmentation
        On the grid of the case, or another grid of the same patient coordinates.
    threshold : float
        Lesions below this volume in mm3 are small.
    """
    cropped = segmentation.cropped
    return measure_classes(
        segmentation.classes,
        segmentation.grid,
        name=case.name,
        plane=midsagittal_plane(case),
        known=segmentation.known,
        threshold=threshold,
        lookup=None if cropped is None else cropped.at,
        give_scores=None if cropped is None else partial(with_scores, parameters=load_parameters()),
    )


def measure_classes(
    classes: Classes,
    grid: Grid,
    *,
    name: str = "",
    plane: MidsagittalPlane | None = None,
    known: Sequence[TissueClass] = tuple(TissueClass),
    threshold: float = SMALL_LESION_MM3,
    lookup: ProbabilityLookup | None = None,
    give_scores: GiveScores | None = None,
) -> CaseMeasures:
    """Measure tissue classes (i, j, k) on a grid; see `measure_case`.

    Parameters
    ----------
    classes : (i, j, k) uint8 array
    grid : Grid
    name : str
        Of the case.
    plane : MidsagittalPlane, optional
    known, threshold
        As for `measure_case`.
    lookup : callable, optional
        Class probabilities at voxels.
    give_scores : callable, optional
        Gives lesions their scores, as `smalltumor.second_look.with_scores` does.

    Raises
    ------
    GridMismatchError
        If the shape is not the grid's.
    """
    if tuple(classes.shape) != tuple(grid.shape):
        raise GridMismatchError(f"the mask has shape {classes.shape}, its grid {grid.shape}")
    masks = {region: region_mask(classes, region) for region in known_regions(known)}
    found = _lesions(masks.get(Region.ET), grid, threshold, lookup)
    lesions = tuple(_placed(lesion, grid, plane, lookup) for lesion in (give_scores or list)(found))
    foci, distance = _foci(masks.get(Region.TC), grid)
    return CaseMeasures(
        name=name,
        volumes_ml=_volumes(classes, grid, known),
        regions={r: _region(r, masks[r], grid, plane) if r in masks else None for r in Region},
        lesions=lesions,
        sums=BidimensionalSum.of(each.lesion for each in lesions),
        foci=foci,
        foci_distance_mm=distance,
        plane=plane,
        threshold=threshold,
    )


def equivalent_diameter_mm(mm3: float) -> float:
    """Diameter in mm of the sphere of a volume in mm3."""
    return float(np.cbrt(6 * mm3 / np.pi))


def _volumes(classes: Classes, grid: Grid, known: Sequence[TissueClass]) -> dict[str, float | None]:
    counts = np.bincount(classes.ravel(), minlength=len(TissueClass))
    ml = grid.voxel_volume / 1000
    told = known_parts(REGIONS_OF_VOLUMES, known)
    return {
        name: int(counts[list(of)].sum()) * ml if name in told else None
        for name, of in REGIONS_OF_VOLUMES.items()
    }


def _region(
    region: Region, mask: Mask, grid: Grid, plane: MidsagittalPlane | None
) -> RegionMeasures | None:
    components = lesion_components(mask, grid)
    if not len(components):
        return None
    everywhere = np.concatenate(components.voxels)
    places = [_place(voxels, grid, plane) for voxels in components.voxels]
    side, _ = _place(everywhere, grid, plane)
    if {Side.RIGHT, Side.LEFT} <= {own for own, _ in places}:
        side = Side.BOTH
    return RegionMeasures(
        equivalent_diameter_mm(len(everywhere) * grid.voxel_volume),
        axial_diameters(components.voxels[-1], grid, of_outline=region != Region.ET),
        side,
        min((mm for _, mm in places if mm is not None), default=None),
    )


def _place(
    voxels: Integers, grid: Grid, plane: MidsagittalPlane | None
) -> tuple[Side | None, float | None]:
    """Side of the centre of some voxels, and distance in mm of the nearest from the plane."""
    if plane is None:
        return None, None
    distances = plane.distance_mm(grid.to_patient(voxels))
    crosses = distances.min() < 0 < distances.max()
    return side_at(float(distances.mean())), 0.0 if crosses else float(np.abs(distances).min())


def _lesions(
    mask: Mask | None, grid: Grid, threshold: float, lookup: ProbabilityLookup | None
) -> list[Lesion]:
    """Components of ET, the largest first."""
    if mask is None:
        return []
    components = lesion_components(mask, grid)
    found = measure_lesions(components, grid, Region.ET, threshold, lookup)
    return [without_probability_if_painted(lesion) for lesion in reversed(found)]


def _placed(
    lesion: Lesion, grid: Grid, plane: MidsagittalPlane | None, lookup: ProbabilityLookup | None
) -> LesionMeasures:
    assert lesion.indices is not None
    side, distance = _place(lesion.indices, grid, plane)
    x, y, z = (float(mm) for mm in grid.to_patient(lesion.indices.mean(axis=0)))
    share = None if lookup is None else _added_share(lookup(lesion.indices))
    return LesionMeasures(replace(lesion, side=side), distance, (x, y, z), share)


def _added_share(probabilities: npt.NDArray[np.floating]) -> float:
    """Share of voxels whose most probable class (class, n) is not ET."""
    return float(np.mean(probabilities.argmax(axis=0) != TissueClass.ET))


def _foci(mask: Mask | None, grid: Grid) -> tuple[int | None, float | None]:
    if mask is None:
        return None, None
    centres: list[npt.NDArray[np.float64]] = [
        grid.to_patient(voxels.mean(axis=0)) for voxels in lesion_components(mask, grid).voxels
    ]
    if len(centres) < 2:
        return len(centres), None
    from scipy.spatial.distance import pdist

    return len(centres), float(pdist(np.array(centres)).max())
