"""The size and the shape of a voxel: a box, or in a sheared grid a parallelepiped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_ROUNDING = 1e-4
"""Largest cosine between edges that count as at right angles: an angle of 0.006 degrees.

Directions that DICOM stores with six digits or fewer are seldom more exact."""


@dataclass(frozen=True, eq=False)
class Voxel:
    """A voxel of a grid.

    Parameters
    ----------
    edges : (3, 3) float64 array
        Its edges along i, j, k as columns, mm.
    volume : float
        In mm3.
    """

    edges: Floats
    volume: float

    @classmethod
    def of(cls, size: npt.ArrayLike) -> Voxel:
        """A voxel by its size.

        Parameters
        ----------
        size : three floats, or (3, 3) array
            Lengths of its edges along i, j, k in mm, at right angles; or the edges as columns, as
            the affine of a grid has them.
        """
        given = np.asarray(size, dtype=np.float64)
        if given.shape == (3,):
            return cls(np.diag(given), float(given.prod()))
        return cls(given, float(abs(np.linalg.det(given))))

    @property
    def spacing(self) -> Floats:
        """Lengths of its edges along i, j, k, (3,) in mm."""
        return np.asarray(np.linalg.norm(self.edges, axis=0))

    @property
    def is_box(self) -> bool:
        """Whether its edges are at right angles."""
        directions = self.edges / self.spacing
        return bool(np.abs(np.triu(directions.T @ directions, k=1)).max() <= _ROUNDING)

    @property
    def thickness(self) -> Floats:
        """Distances of neighbouring planes of voxels along i, j, k, (3,) in mm.

        In a sheared grid, planes are closer than the edges between them are long.
        """
        if self.is_box:
            return self.spacing
        return np.asarray(1 / np.linalg.norm(np.linalg.inv(self.edges), axis=1))

    def places(self, voxels: npt.NDArray[np.integer]) -> Floats:
        """Places of voxels in mm, whose distances are those in the patient.

        Parameters
        ----------
        voxels : (..., 3) int array
            Indices i, j, k.

        Returns
        -------
        (..., 3) float64 array
            From voxel 0, 0, 0. The axes are those of the voxels if these are boxes, else those of
            the patient.
        """
        if self.is_box:
            return np.asarray(voxels * self.spacing)
        return np.asarray(voxels @ self.edges.T)

    def reach(self, distance: float) -> npt.NDArray[np.int64]:
        """Voxels along i, j, k, (3,), that a ball extends to, rounded up.

        Parameters
        ----------
        distance : float
            Radius of the ball, mm.
        """
        return np.asarray(np.ceil(distance / self.thickness), dtype=np.int64)
