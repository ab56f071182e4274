"""What part of the head the planes show: one centre and one scale for all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_smalltumor.planes.plane import Plane, Point

_MARGIN = 1.06
"""A fitted view shows this many times the longest side of the head."""

_MIN_MM = 5.0
"""The shorter side of a plane shows at least this."""

_MAX_MM = 2000.0


@dataclass(frozen=True)
class View:
    """The part of the world that the planes show.

    Parameters
    ----------
    centre : tuple of float, optional
        World coordinates at the centre of each plane; None for the centre of the images.
    size_mm : float, optional
        What the shorter side of a plane shows; None to fit the images.
    """

    centre: Point | None = None
    size_mm: float | None = None


@dataclass(frozen=True)
class Viewport:
    """World coordinates on the screen, for one plane of some size in pixels.

    Parameters
    ----------
    plane : Plane
    width, height : float
        Pixels.
    scale : float
        Pixels for each mm.
    centre : tuple of float
        World coordinates at the centre.
    """

    plane: Plane
    width: float
    height: float
    scale: float
    centre: Point

    def to_screen(self, point: Point) -> tuple[float, float]:
        """Pixels from the left and from the top."""
        x = (point[self.plane.columns] - self.centre[self.plane.columns]) * self.scale
        y = (point[self.plane.rows] - self.centre[self.plane.rows]) * self.scale
        return x + self.width / 2, y + self.height / 2

    def to_world(self, x: float, y: float, depth: float) -> Point:
        """World coordinates at a pixel of the slice at a depth."""
        column = self.centre[self.plane.columns] + (x - self.width / 2) / self.scale
        row = self.centre[self.plane.rows] + (y - self.height / 2) / self.scale
        return self.plane.point_at(row, column, depth)


def viewport(
    view: View, plane: Plane, extent: npt.NDArray[np.float64], width: float, height: float
) -> Viewport:
    """The viewport of a plane with a size in pixels.

    Parameters
    ----------
    view : View
    plane : Plane
    extent : (2, 3) float array
        Lowest and highest world coordinates of the images.
    width, height : float
    """
    width, height = max(width, 1.0), max(height, 1.0)
    middle = extent.mean(axis=0)
    centre = view.centre or (float(middle[0]), float(middle[1]), float(middle[2]))
    size = view.size_mm
    if size is None:  # the same for all planes
        size = max(float((extent[1] - extent[0]).max()), _MIN_MM) * _MARGIN
    return Viewport(plane, width, height, min(width, height) / size, centre)


def zoomed(view: View, port: Viewport, factor: float, fixed: Point) -> View:
    """The view magnified by a factor, in which a point stays where it is on the screen."""
    size = min(port.width, port.height) / port.scale
    new = float(np.clip(size / factor, _MIN_MM, _MAX_MM))
    ratio = new / size
    centre = tuple(f + (c - f) * ratio for c, f in zip(port.centre, fixed, strict=True))
    return View((centre[0], centre[1], centre[2]), new)


def moved(view: View, port: Viewport, dx: float, dy: float) -> View:
    """The view after its content was dragged by some pixels."""
    centre = list(port.centre)
    centre[port.plane.columns] -= dx / port.scale
    centre[port.plane.rows] -= dy / port.scale
    return replace(view, centre=(centre[0], centre[1], centre[2]))
