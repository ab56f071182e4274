"""Voxel grids in patient space, and volumes along other axes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from smalltumor.errors import CaseError
from smalltumor.geometry.voxel import Voxel

Affine = npt.NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)

NETWORK_AXES = "LPS"
"""Directions of the network's three axes, those of BraTS files."""

UPRIGHT_AXES = "LPI"
"""Directions along which rows and columns of a slice are shown as on a radiologist's screen."""

LPS_TO_RAS: Affine = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From the patient coordinates of DICOM and ITK to those of nibabel; its own inverse."""

CORNER_TOLERANCE = 0.05
"""Largest distance between corresponding corners of equal grids, as a fraction of a voxel."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A block of voxels in patient space.

    Parameters
    ----------
    shape : (3,) int
        Number of voxels along the array axes i, j, k.
    affine : (4, 4) float64
        From voxel indices to patient coordinates in mm, RAS (x to the right, y to anterior, z to
        superior), as in nibabel.

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
            raise CaseError("the affine in the header makes the volume flat")
        affine.flags.writeable = False
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @property
    def spacing(self) -> npt.NDArray[np.float64]:
        """Voxel size along i, j, k, (3,) in mm."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    @cached_property
    def voxel(self) -> Voxel:
        """The size and the shape of the voxels."""
        return Voxel.of(self.affine[:3, :3])

    @property
    def voxel_volume(self) -> float:
        """Volume of a voxel in mm3; in a sheared grid less than the product of the voxel sizes."""
        return self.voxel.volume

    @cached_property
    def axcodes(self) -> str:
        """Directions of i, j, k, such as ``LPS``; the nearest ones if the grid is oblique."""
        return "".join(_orientations().aff2axcodes(self.affine))

    def to_patient(self, voxels: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Convert voxel indices (..., 3) to patient coordinates (..., 3) in mm, RAS."""
        return np.asarray(voxels) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def matches(self, other: Grid) -> bool:
        """Whether both grids have the same voxels at the same positions, see `CORNER_TOLERANCE`."""
        if self.shape != other.shape:
            return False
        distance = np.abs(self.corners() - other.corners()).max()
        return bool(distance <= CORNER_TOLERANCE * self.spacing.min())

    def describe(self) -> str:
        """Describe the grid in one line: shape, voxel size, axes, position of the first voxel."""
        shape = " x ".join(str(n) for n in self.shape)
        spacing = " x ".join(f"{s:.4g}" for s in self.spacing)
        origin = ", ".join(f"{x:.4g}" for x in self.affine[:3, 3])
        return f"{shape} voxels of {spacing} mm, axes {self.axcodes}, first voxel at ({origin}) mm"

    def corners(self) -> npt.NDArray[np.float64]:
        """Centres of the eight corner voxels, (2, 2, 2, 3) patient coordinates in mm, RAS."""
        return self.to_patient(np.stack(np.meshgrid(*[(0, n - 1) for n in self.shape]), axis=-1))


def to_axes(
    volume: npt.NDArray[Scalar], grid: Grid, axcodes: str = NETWORK_AXES
) -> npt.NDArray[Scalar]:
    """Permute and reverse the axes of a volume so that they have the given directions.

    Parameters
    ----------
    volume : (i, j, k, ...) array on the grid
    grid : Grid
    axcodes : str
        Three of ``L R A P S I``, one for each axis of the result.

    Returns
    -------
    array
        A view of `volume`.
    """
    return _apply_orientation(volume, _orientation_between(grid.axcodes, axcodes))


def from_axes(
    volume: npt.NDArray[Scalar], grid: Grid, axcodes: str = NETWORK_AXES
) -> npt.NDArray[Scalar]:
    """Undo `to_axes`: a view of `volume`, which has the directions `axcodes`, along the grid's."""
    return _apply_orientation(volume, _orientation_between(axcodes, grid.axcodes))


def reoriented(grid: Grid, axcodes: str = NETWORK_AXES) -> Grid:
    """Return the grid of ``to_axes(volume, grid, axcodes)``: the same voxels in another order."""
    orientation = _orientation_between(grid.axcodes, axcodes)
    affine = grid.affine @ _orientations().inv_ornt_aff(orientation, grid.shape)
    shape = np.empty(3, dtype=int)
    shape[orientation[:, 0].astype(int)] = grid.shape
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)


def index_transform(grid: Grid, axcodes: str) -> npt.NDArray[np.float64]:
    """Matrix (4, 4) of whole numbers from voxel indices to those on ``reoriented(grid, axcodes)``.

    Products with it are exact, so that halves are rounded the same way wherever it is used.
    """
    orientation = _orientation_between(grid.axcodes, axcodes)
    back = _orientations().inv_ornt_aff(orientation, grid.shape)
    return np.asarray(np.rint(np.linalg.inv(back)))


def _orientation_between(start: str, end: str) -> npt.NDArray[np.float64]:
    module = _orientations()
    first, last = module.axcodes2ornt(tuple(start)), module.axcodes2ornt(tuple(end))
    return np.asarray(module.ornt_transform(first, last))


def _orientations() -> Any:
    """Return ``nibabel.orientations``, imported when it is first needed.

    nibabel imports pydicom where it is installed, and with it an HTTP library: a third of a second
    that the window does not have to wait for.
    """
    from nibabel import orientations

    return orientations


def _apply_orientation(
    volume: npt.NDArray[Scalar], orientation: npt.NDArray[np.float64]
) -> npt.NDArray[Scalar]:
    reversed_ = volume[tuple(slice(None, None, int(sign)) for sign in orientation[:, 1])]
    order = np.argsort(orientation[:, 0])
    return reversed_.transpose(*order, *range(3, volume.ndim))
