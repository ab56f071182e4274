"""Rigid motions of a sequence against T1CE, as a user enters them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.grid import Affine, Grid
from smalltumor.geometry.resampling import resample

Triple = tuple[float, float, float]


def rigid_motion(shift_mm: Triple, degrees: Triple, centre: npt.ArrayLike) -> Affine:
    """A rotation about a point, followed by a shift, (4, 4) float64.

    Parameters
    ----------
    shift_mm : (3,) float
        Towards right, anterior and superior.
    degrees : (3,) float
        Rotation about the axes to the right, to anterior and to superior, in this order,
        counterclockwise as seen from the tip of the axis.
    centre : (3,) array
        Patient coordinates in mm, RAS.
    """
    turn = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        one = np.eye(3)
        a, b = (axis + 1) % 3, (axis + 2) % 3
        one[[a, a, b, b], [a, b, a, b]] = (
            np.cos(angle),
            -np.sin(angle),
            np.sin(angle),
            np.cos(angle),
        )
        turn = one @ turn
    point = np.asarray(centre, dtype=np.float64)
    motion = np.eye(4)
    motion[:3, :3] = turn
    motion[:3, 3] = point - turn @ point + np.asarray(shift_mm)
    return motion


def motion_parameters(motion: Affine, centre: npt.ArrayLike) -> tuple[Triple, Triple]:
    """Shift in mm and turns in degrees of which `rigid_motion` makes a motion.

    Parameters
    ----------
    motion : (4, 4) float64
        Rigid.
    centre : (3,) array
        Patient coordinates in mm, RAS.

    Returns
    -------
    shift_mm, degrees : (3,) float
        The turns are -180 to 180 degrees, and -90 to 90 degrees about the axis to anterior.
    """
    turn, point = motion[:3, :3], np.asarray(centre, dtype=np.float64)
    x = np.arctan2(turn[2, 1], turn[2, 2])
    y = np.arcsin(np.clip(-turn[2, 0], -1.0, 1.0))
    z = np.arctan2(turn[1, 0], turn[0, 0])
    return _triple(motion[:3, 3] - point + turn @ point), _triple(np.degrees([x, y, z]))


def motion_between(before: Affine, after: Affine) -> Affine:
    """The motion with which `moved_matrix` makes one matrix of another, (4, 4) float64."""
    return np.asarray(np.linalg.inv(after) @ before)


def moved_matrix(matrix: Affine, motion: Affine) -> Affine:
    """The matrix of a `Registration` after its sequence was moved in the space of T1CE."""
    return np.asarray(matrix @ np.linalg.inv(motion))


def moved_image(
    image: npt.NDArray[np.generic], grid: Grid, motion: Affine
) -> npt.NDArray[np.float32]:
    """An image (i, j, k) on the grid of T1CE, moved and resampled, to be looked at."""
    return resample(image, Grid(grid.shape, motion @ grid.affine), grid)


def _triple(values: npt.NDArray[np.float64]) -> Triple:
    first, second, third = (float(value) for value in values)
    return first, second, third
