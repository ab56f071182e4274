"""Where the voxels of a layer are in the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_smalltumor.planes.plane import Plane, Point

if TYPE_CHECKING:
    from napari.layers import Layer

_MIN_STEP = 1e-6
_OFF_DIAGONAL = 1e-4
"""Largest share of a voxel's size that may lie along another axis."""


@dataclass(frozen=True)
class Placement:
    """Scale and position of a layer whose axes are the world's.

    Parameters
    ----------
    first : (3,) float array
        World coordinates of the centre of the first voxel.
    step : (3,) float array
        Voxel size along each axis in mm; negative if the axis runs the other way.
    shape : (3,) int
    """

    first: npt.NDArray[np.float64]
    step: npt.NDArray[np.float64]
    shape: tuple[int, int, int]

    @property
    def ends(self) -> npt.NDArray[np.float64]:
        """World coordinates (2, 3) of the centres of the first and the last voxel."""
        return self.first + self.step * np.array([np.zeros(3), np.array(self.shape) - 1])

    def voxel(self, point: Point) -> npt.NDArray[np.float64]:
        """Fractional voxel index of a point."""
        return np.asarray((np.asarray(point) - self.first) / self.step)

    def slice_index(self, plane: Plane, point: Point) -> int | None:
        """Index of the slice through a point; None if the plane does not cut the layer."""
        index = int(np.rint(self.voxel(point)[plane.sliced]))
        return index if 0 <= index < self.shape[plane.sliced] else None

    def rectangle(self, plane: Plane) -> tuple[float, float, float, float]:
        """Left, top, width and height of the first row and column's outer corner, in mm.

        Width or height is negative if the layer's axis runs against the world's.
        """
        corner = self.first - self.step / 2
        size = self.step * self.shape
        columns, rows = plane.columns, plane.rows
        return (
            float(corner[columns]),
            float(corner[rows]),
            float(size[columns]),
            float(size[rows]),
        )


def placement_of(layer: Layer) -> Placement | None:
    """Placement of a layer; None unless it is 3D and its axes are the world's.

    napari itself draws slices of rotated or sheared layers incorrectly.
    """
    shape = tuple(int(n) for n in layer.data.shape) if layer.ndim == 3 else ()
    if len(shape) != 3:
        return None
    corners = np.vstack([np.zeros(3), np.eye(3)])
    world = np.array([layer.data_to_world(corner) for corner in corners], dtype=np.float64)
    steps = world[1:] - world[0]
    step = np.diagonal(steps).copy()
    if np.any(np.abs(step) < _MIN_STEP):
        return None
    if np.abs(steps - np.diag(step)).max() > _OFF_DIAGONAL * np.abs(step).min():
        return None
    return Placement(world[0], step, (shape[0], shape[1], shape[2]))
