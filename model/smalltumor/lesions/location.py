"""Where a lesion is, as a radiologist says it: the patient's side, and slice numbers."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.background import find_background
from smalltumor.data.brain_mask import brain_masks, coarse_steps
from smalltumor.geometry.grid import index_transform

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.geometry.grid import Grid

MIDLINE_MM = 5.0
"""A lesion whose centre is nearer than this to the middle of the brain is in the midline."""

_UPRIGHT = "LPI"


class Side(StrEnum):
    """The patient's own side, whichever side of the screen it is on."""

    RIGHT = "right"
    LEFT = "left"
    MIDLINE = "midline"


def side_of(right_mm: float, midline_mm: float) -> Side:
    """The side of a point.

    Parameters
    ----------
    right_mm : float
        Patient coordinate of the point, mm towards the right.
    midline_mm : float
        The same coordinate of the middle of the brain.
    """
    return side_at(right_mm - midline_mm)


def side_at(distance_mm: float) -> Side:
    """The side of a point by its distance from the middle of the brain, positive to the right."""
    if abs(distance_mm) < MIDLINE_MM:
        return Side.MIDLINE
    return Side.RIGHT if distance_mm > 0 else Side.LEFT


def brain_midline(case: Case) -> float:
    """Patient coordinate of the brain's middle, mm towards the right.

    It is the mean over the brain's voxels, about 4 mm apart, or the middle of the grid if there is
    no brain. A head that is turned to the side moves it little at the middle of the brain, and
    more at its poles.
    """
    grid = case.grid
    steps = coarse_steps(grid.shape, grid.spacing)
    images = [v for v in case.volumes.values() if v[steps].min() < v[steps].max()]
    if not images:
        return grid_midline(grid)
    coarse = [image[steps].copy() for image in images]
    backgrounds = [find_background(image, few) for image, few in zip(images, coarse, strict=True)]
    brain = np.logical_or.reduce(brain_masks(coarse, backgrounds))
    if not brain.any():
        return grid_midline(grid)
    voxels = np.argwhere(brain) * [step.step for step in steps]
    return float(grid.to_patient(voxels.mean(axis=0))[0])


def grid_midline(grid: Grid) -> float:
    """Patient coordinate of the middle of a grid, mm towards the right."""
    return float(grid.to_patient((np.array(grid.shape) - 1) / 2)[0])


def upright_slices(grid: Grid, voxel: npt.ArrayLike) -> tuple[int, int, int]:
    """Axial, coronal and sagittal slice through a voxel of the grid, as napari numbers them.

    From 0: from the top of the head down, from front to back, and from the patient's right to the
    left.

    Parameters
    ----------
    grid : Grid
    voxel : (3,) array
        Index along i, j, k; may be fractional.
    """
    at = np.append(np.asarray(voxel, dtype=np.float64), 1.0)
    left, posterior, inferior, _ = np.rint(index_transform(grid, _UPRIGHT) @ at).astype(int)
    return int(inferior), int(posterior), int(left)
