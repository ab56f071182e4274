"""The midsagittal plane: the plane about which the brain is most symmetric."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.geometry.grid import Grid
    from smalltumor.labels.masks import Mask

Floats = npt.NDArray[np.float64]

MIN_SYMMETRY = 0.95
"""Share of the brain that lies on its mirror image below which no plane is given: the volume shows
a part of the brain only. In twenty whole brains it was .98 or more."""

_SMOOTHING_MM = 5.0
_FIRST_STEPS = np.diag([0.15, 0.15, 6.0])
_MAX_POINTS = 6_000
_SEED = 7


@dataclass(frozen=True)
class MidsagittalPlane:
    """The plane between the halves of the brain.

    Parameters
    ----------
    normal : (r, a, s)
        Unit vector at right angles to the plane, to the patient's right.
    offset_mm : float
        Distance of the plane from the origin of the patient coordinates, along the normal.
    symmetry : float
        Share of the brain that lies on its mirror image, 0 to 1.
    """

    normal: tuple[float, float, float]
    offset_mm: float
    symmetry: float

    def distance_mm(self, points: npt.ArrayLike) -> Floats:
        """Distance (...) of points (..., 3) in mm, RAS; positive on the patient's right."""
        return np.asarray(np.asarray(points) @ np.array(self.normal) - self.offset_mm)

    def moved_by(self, matrix: Floats) -> MidsagittalPlane:
        """The plane of a brain that a rigid transform, (4, 4) in RAS and mm, has moved."""
        normal = matrix[:3, :3] @ np.array(self.normal)
        r, a, s = map(float, normal)
        return replace(
            self, normal=(r, a, s), offset_mm=float(self.offset_mm + normal @ matrix[:3, 3])
        )


def midsagittal_plane(case: Case) -> MidsagittalPlane | None:
    """Find the plane about which the brain of a case is most symmetric.

    The brain is found in voxels about 4 mm apart; the plane maximises the overlap of the brain with
    its mirror image, as the extended midsagittal plane of Liu et al. 2001 (doi 10.1109/42.918469)
    maximises that of the image.

    Returns
    -------
    MidsagittalPlane or None
        None if there are no images, no brain is found, or it is too far from symmetric
        (`MIN_SYMMETRY`).
    """
    if not case.volumes:
        return None
    brain, grid = coarse_brain(case)
    return symmetry_plane(brain, grid) if brain.any() else None


def coarse_brain(case: Case) -> tuple[Mask, Grid]:
    """The brain of a case, (i, j, k) bool in voxels about 4 mm apart, and their grid.

    The mask is empty if there is no brain.
    """
    from smalltumor.geometry.grid import Grid

    coarse = case.coarse.of(m for m, v in case.coarse.images.items() if v.min() < v.max())
    scale = np.diag([*(float(step.step) for step in coarse.steps), 1.0])
    scale[:3, 3] = [step.start for step in coarse.steps]
    shape = tuple(len(range(step.start, step.stop, step.step)) for step in coarse.steps)
    grid = Grid((shape[0], shape[1], shape[2]), case.grid.affine @ scale)
    if not coarse.images:
        return np.zeros(grid.shape, dtype=bool), grid
    return np.logical_or.reduce([*coarse.brain_masks.values()]), grid


def symmetry_plane(brain: Mask, grid: Grid) -> MidsagittalPlane | None:
    """Find the plane about which a mask is most symmetric, near the sagittal direction.

    Parameters
    ----------
    brain : (i, j, k) bool array, not empty
    grid : Grid
    """
    from scipy.optimize import minimize

    overlap = _Overlap(brain, grid)
    start = np.zeros(3)
    optimum = minimize(
        lambda plane: -overlap(plane),
        start,
        method="Nelder-Mead",
        options={
            "initial_simplex": np.vstack([start, start + _FIRST_STEPS]),
            "xatol": 1e-3,
            "fatol": 1e-6,
        },
    )
    best, symmetry = optimum.x, -float(optimum.fun)
    if symmetry < MIN_SYMMETRY:
        return None
    normal = _normal(best)
    r, a, s = (float(x) for x in normal)
    return MidsagittalPlane((r, a, s), float(overlap.centre @ normal + best[2]), symmetry)


class _Overlap:
    """Share of a mask that lies on its mirror image, for planes near its centre.

    A plane is two angles in radians, see `_normal`, and its distance in mm from the centre.
    """

    def __init__(self, brain: Mask, grid: Grid) -> None:
        from scipy.ndimage import gaussian_filter

        voxels = np.argwhere(brain)
        self.centre = grid.to_patient(voxels.mean(axis=0))
        some = voxels[:: max(1, -(-len(voxels) // _MAX_POINTS))]
        # Within the voxels: points on their centres prefer planes along the axes of the grid.
        within = np.random.default_rng(_SEED).uniform(-0.5, 0.5, some.shape)
        from_centre = (grid.to_patient(some + within) - self.centre).T
        self._from_centre = np.ascontiguousarray(from_centre)
        self._smooth = gaussian_filter(brain.astype(np.float32), _SMOOTHING_MM / grid.spacing)
        self._to_voxel = np.linalg.inv(grid.affine)
        self._whole = self._mean_at(np.eye(3), self.centre)

    def __call__(self, plane: Floats) -> float:
        normal = _normal(plane)
        mirror = np.eye(3) - 2 * np.outer(normal, normal)
        return self._mean_at(mirror, self.centre + 2 * plane[2] * normal) / self._whole

    def _mean_at(self, matrix: Floats, centre: Floats) -> float:
        """Mean of the smoothed brain where its points lie after a matrix about their centre."""
        from scipy.ndimage import map_coordinates

        linear, offset = self._to_voxel[:3, :3], self._to_voxel[:3, 3]
        voxels = (linear @ matrix) @ self._from_centre + (linear @ centre + offset)[:, None]
        return float(map_coordinates(self._smooth, voxels, order=1).mean())


def _normal(plane: Floats) -> Floats:
    """Unit vector to the right, turned about the long axis of the body and then the front one."""
    yaw, roll = plane[:2]
    return np.array(
        [np.cos(yaw) * np.cos(roll), np.sin(yaw) * np.cos(roll), np.sin(roll)], dtype=np.float64
    )
