"""The three planes: which world axes they show, and which way the patient faces.

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
    left, right, top, bottom : str
        Letters of the directions at the edges: R, L, A, P, S or I.
    """

    name: str
    sliced: int
    rows: int
    columns: int
    left: str
    right: str
    top: str
    bottom: str

    def point_at(self, row: float, column: float, depth: float) -> Point:
        """World coordinates of a point in the slice at a depth along the sliced axis."""
        point = [0.0, 0.0, 0.0]
        point[self.rows], point[self.columns], point[self.sliced] = row, column, depth
        return point[0], point[1], point[2]


AXIAL = Plane("Axial", 0, 1, 2, left="R", right="L", top="A", bottom="P")
CORONAL = Plane("Coronal", 1, 0, 2, left="R", right="L", top="S", bottom="I")
SAGITTAL = Plane("Sagittal", 2, 0, 1, left="A", right="P", top="S", bottom="I")

PLANES = (AXIAL, CORONAL, SAGITTAL)
