"""Volumes whose axes are not at right angles, as those of slices of a tilted gantry."""

from __future__ import annotations

import numpy as np

from smalltumor.geometry.grid import Grid

_MAX_COSINE = 1e-3
"""Of two axes, by rounding in headers."""

_MIN_DISPLACEMENT_MM = 0.2
"""A tilt that displaces no voxel by more is one of rounded positions as well."""


def shear_problem(grid: Grid) -> str:
    """That the axes of a volume are not at right angles, for the user; empty if they are.

    ITK cannot express such volumes, so that they are not registered.
    """
    directions = grid.affine[:3, :3] / grid.spacing
    cosines = np.abs(np.triu(directions.T @ directions, k=1))
    extent = grid.spacing * grid.shape
    displacements = cosines * np.minimum.outer(extent, extent)
    if not ((cosines > _MAX_COSINE) & (displacements > _MIN_DISPLACEMENT_MM)).any():
        return ""
    degrees = np.rad2deg(np.arccos(cosines.max()))
    return (
        f"its axes are at {degrees:.1f} degrees and not at right angles, as with a tilted gantry; "
        "resample it first, for example in 3D Slicer"
    )
