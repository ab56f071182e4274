"""A copy of the mask of a region, which another thread searches for lesions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from smalltumor.data.midsagittal_plane import MidsagittalPlane
from smalltumor.geometry.grid import Grid
from smalltumor.labels.components import connected_components
from smalltumor.labels.regions import Region
from smalltumor.lesions import (
    Lesion,
    Point,
    ProbabilityLookup,
    measure_lesions,
    without_probability_if_painted,
)
from smalltumor.second_look import StoredLesion, with_probabilities

from napari_smalltumor.layers.coordinates import from_display


@dataclass(frozen=True)
class Snapshot:
    """A copy of the mask of a region.

    Parameters
    ----------
    data : array
        Copy of the layer's data.
    grid : Grid
    region : Region
    values : tuple of int or None
        Values inside the region; None for all values but 0.
    upright : bool
        Whether the axes of `data` are (I, P, L) instead of those of the grid.
    lookup : callable or None
        Class probabilities at voxels of the grid.
    plane : callable
        Finds the midsagittal plane of the brain, or None.
    stored : sequence of StoredLesion
        Components whose probabilities a cohort's run has stored.
    """

    data: npt.NDArray[np.integer]
    grid: Grid
    region: Region
    values: tuple[int, ...] | None
    upright: bool
    lookup: ProbabilityLookup | None
    plane: Callable[[], MidsagittalPlane | None]
    stored: Sequence[StoredLesion] = ()

    def shows_the_same(self, other: Snapshot | None) -> bool:
        """Whether a search of both snapshots finds the same lesions."""
        return (
            other is not None
            and (self.region, self.values) == (other.region, other.values)
            and self.lookup == other.lookup
            and self.stored is other.stored
            and self.grid.matches(other.grid)
            and np.array_equal(self.data, other.data)
        )

    def lesions(self, threshold: int) -> list[Lesion]:
        """The region's lesions on the source's grid, the smallest first."""
        mask = self.data != 0 if self.values is None else np.isin(self.data, self.values)
        volume = from_display(mask, self.grid) if self.upright else mask
        components = connected_components(volume)
        lesions = measure_lesions(
            components, self.grid, self.region, threshold, self.lookup, self.plane()
        )
        if not self.upright:
            lesions = [
                replace(x, slices=nearest_voxel(x.centroid_voxel), slices_by_index=True)
                for x in lesions
            ]
        lesions = [without_probability_if_painted(x) for x in lesions]
        return with_probabilities(lesions, self.stored) if self.stored else lesions


def nearest_voxel(place: Point) -> tuple[int, int, int]:
    """The voxel whose centre is nearest to a place in indices."""
    i, j, k = np.rint(place).astype(int)
    return int(i), int(j), int(k)
