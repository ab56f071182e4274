"""Fields of view on which no head can lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.errors import CaseError

if TYPE_CHECKING:
    from smalltumor.geometry.grid import Grid

_MIN_HEAD_MM, _MIN_SCANNED_VOXEL_MM = 40.0, 0.15
"""Longest edge of a field of view, and smallest of a voxel, that no head has if it has both: one in
cm, taken for mm, has 24 and 0.1. A crop has the voxels of its image."""

_MAX_HEAD_MM = 1000.0

_MIN_VOXEL_MM = 0.01
"""Edge of a voxel that no scanner reaches; resampled by one along an axis, an image has no end."""


def check_field_of_view(grid: Grid) -> None:
    """Refuse a grid on which no head can lie, as with voxel sizes in another unit than it says.

    Raises
    ------
    CaseError
        If the field of view is too small or too large for a head.
    """
    edges = grid.spacing * grid.shape
    is_small = edges.max() < _MIN_HEAD_MM and grid.spacing.min() < _MIN_SCANNED_VOXEL_MM
    if is_small or grid.spacing.min() < _MIN_VOXEL_MM:
        raise field_of_view_error("small", edges, grid)
    if edges.max() > _MAX_HEAD_MM:
        raise field_of_view_error("large", edges, grid)


def field_of_view_error(
    size: str, edges: Sequence[float] | npt.NDArray[np.float64], grid: Grid
) -> CaseError:
    """The error about a field of view with edges in mm, which is too "small" or "large"."""
    return CaseError(
        f"a field of view of {_millimetres(edges)} is too {size} for a head; "
        f"check the voxel sizes in the header ({grid.describe()})"
    )


def _millimetres(lengths: Sequence[float] | npt.NDArray[np.float64]) -> str:
    return " x ".join(f"{x:.4g}" for x in lengths) + " mm"
