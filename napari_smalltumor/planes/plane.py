"""The three planes, and which world axes they show.

World axes are those of `layers.coordinates`: mm towards inferior, posterior and left. Rows run
down and columns to the right, which makes each plane upright and radiological.
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float, float]
"""World coordinates (I, P, L) in mm."""


@dataclass(frozen=True)
class Plane:
    """One of the three anatomical planes.

    Parameters
    ----------
    name : str
    sliced : {0, 1, 2}
        World axis that is perpendicular to the plane.
    rows, columns : {0, 1, 2}
        World axes along which the rows follow each other downwards, and the columns to the right.
    """

    name: str
    sliced: int
    rows: int
    columns: int

    def point_at(self, row: float, column: float, depth: float) -> Point:
        """World coordinates of a point in the slice at a depth along the sliced axis."""
        point = [0.0, 0.0, 0.0]
        point[self.rows], point[self.columns], point[self.sliced] = row, column, depth
        return point[0], point[1], point[2]


AXIAL = Plane("Axial", 0, 1, 2)
CORONAL = Plane("Coronal", 1, 0, 2)
SAGITTAL = Plane("Sagittal", 2, 0, 1)

PLANES = (AXIAL, CORONAL, SAGITTAL)
