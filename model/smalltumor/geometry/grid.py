"""Voxel grids in patient space, and the way to the network's grid and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from nibabel.affines import apply_affine
from nibabel.orientations import aff2axcodes, axcodes2ornt, inv_ornt_aff, ornt_transform

from smalltumor.errors import CaseError

Affine = npt.NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)

NETWORK_AXES = "LPS"
"""Directions in which the network's three axes grow, as BraTS files are stored."""


CORNER_TOLERANCE = 0.05
"""Two grids are the same if no corner is further apart than this share of a voxel."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A block of voxels in patient space.

    Parameters
    ----------
    shape : (3,) int
        Voxels along the array axes i, j, k.
    affine : (4, 4) float64
        Voxel indices to patient coordinates in mm, RAS (x to the right, y to anterior, z to
        superior), as nibabel has it.

    Raises
    ------
    CaseError
        If the affine is not finite, not invertible, or the shape is empty.
    """

    shape: tuple[int, int, int]
    affine: Affine

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.all(np.isfinite(affine)):
            raise CaseError("the affine in the header is not a finite 4 x 4 matrix")
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise CaseError(f"{self.shape} is not the shape of a volume")
        lengths = np.linalg.norm(affine[:3, :3], axis=0)
        if np.any(lengths <= 0) or abs(np.linalg.det(affine[:3, :3] / lengths)) < 1e-3:
            raise CaseError("the affine in the header squeezes the volume flat")
        affine.flags.writeable = False
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @property
    def spacing(self) -> npt.NDArray[np.float64]:
        """Edge lengths of a voxel along i, j, k, in mm."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def voxel_volume(self) -> float:
        """Volume of a voxel in mm3; less than the product of its edges if the grid is sheared."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    @cached_property
    def axcodes(self) -> str:
        """Direction in which i, j, k grow, such as ``LPS``; the nearest one if oblique."""
        return "".join(aff2axcodes(self.affine))

    def to_patient(self, voxels: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Voxel indices (..., 3) to patient coordinates (..., 3) in mm, RAS."""
        return np.asarray(apply_affine(self.affine, voxels))

    def matches(self, other: Grid) -> bool:
        """Whether both are the same voxels at the same places."""
        if self.shape != other.shape:
            return False
        apart = np.abs(self._corners() - other._corners()).max()
        return bool(apart <= CORNER_TOLERANCE * self.spacing.min())

    def describe(self) -> str:
        """One line for people: shape, voxel size in mm, axes, place of the first voxel."""
        shape = " x ".join(str(n) for n in self.shape)
        spacing = " x ".join(f"{s:.4g}" for s in self.spacing)
        origin = ", ".join(f"{x:.4g}" for x in self.affine[:3, 3])
        return f"{shape} voxels of {spacing} mm, axes {self.axcodes}, first voxel at ({origin}) mm"

    def _corners(self) -> npt.NDArray[np.float64]:
        return self.to_patient(np.stack(np.meshgrid(*[(0, n - 1) for n in self.shape]), axis=-1))


def to_axes(
    volume: npt.NDArray[Scalar], grid: Grid, axcodes: str = NETWORK_AXES
) -> npt.NDArray[Scalar]:
    """The volume with its axes permuted and flipped to grow in the given directions.

    Parameters
    ----------
    volume : (i, j, k, ...) array on the grid
    grid : Grid
    axcodes : str
        Three of ``L R A P S I``, one for each array axis of the result.

    Returns
    -------
    array
        A view: writing to it writes to `volume`.
    """
    return _apply_orientation(volume, _orientation_between(grid.axcodes, axcodes))


def from_axes(
    volume: npt.NDArray[Scalar], grid: Grid, axcodes: str = NETWORK_AXES
) -> npt.NDArray[Scalar]:
    """Undo `to_axes`: a view of `volume`, given along `axcodes`, along the axes of the grid."""
    return _apply_orientation(volume, _orientation_between(axcodes, grid.axcodes))


def reoriented(grid: Grid, axcodes: str = NETWORK_AXES) -> Grid:
    """The grid of ``to_axes(volume, grid, axcodes)``: the same voxels at the same places."""
    turn = _orientation_between(grid.axcodes, axcodes)
    affine = grid.affine @ inv_ornt_aff(turn, grid.shape)
    shape = np.empty(3, dtype=int)
    shape[turn[:, 0].astype(int)] = grid.shape
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)


def _orientation_between(start: str, end: str) -> npt.NDArray[np.float64]:
    return np.asarray(ornt_transform(axcodes2ornt(tuple(start)), axcodes2ornt(tuple(end))))


def _apply_orientation(
    volume: npt.NDArray[Scalar], turn: npt.NDArray[np.float64]
) -> npt.NDArray[Scalar]:
    flipped = volume[tuple(slice(None, None, int(sign)) for sign in turn[:, 1])]
    order = np.argsort(turn[:, 0])
    return flipped.transpose(*order, *range(3, volume.ndim))
