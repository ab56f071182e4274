"""Where a lesion is, as a radiologist says it: the patient's side, and slice numbers."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.grid import UPRIGHT_AXES, index_transform

if TYPE_CHECKING:
    from smalltumor.geometry.grid import Grid

MIDLINE_MM = 5.0
"""A lesion whose centre is nearer than this to the midsagittal plane is in the midline."""


class Side(StrEnum):
    """The patient's own side, whichever side of the screen it is on."""

    RIGHT = "right"
    LEFT = "left"
    MIDLINE = "midline"
    BOTH = "both"
    """Of a region with components on the right and on the left; never of a lesion."""


def side_at(distance_mm: float) -> Side:
    """The side of a point by its distance from the midsagittal plane, positive to the right."""
    if abs(distance_mm) < MIDLINE_MM:
        return Side.MIDLINE
    return Side.RIGHT if distance_mm > 0 else Side.LEFT


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
    left, posterior, inferior, _ = np.rint(index_transform(grid, UPRIGHT_AXES) @ at).astype(int)
    return int(inferior), int(posterior), int(left)
