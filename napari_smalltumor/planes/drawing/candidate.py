"""Outline of the candidate under review in a plane: what accepting it would add to the mask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from napari_smalltumor.layers.views.ring_boxes import ring_boxes_of
from napari_smalltumor.planes.drawing.rendering import edges_of, joined
from napari_smalltumor.planes.view import Viewport

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_smalltumor.planes.plane import Point

LINE, HALO = QColor(255, 255, 255), QColor(0, 0, 0)

_WIDTH, _HALO_WIDTH = 1.5, 3.5
_DASHES = (3.0, 2.0)
"""Lengths of the dashes and of the gaps between them, in widths of the line."""


def draw_candidate(
    painter: QPainter, layers: Iterable[Layer], port: Viewport, position: Point
) -> None:
    """Draw the outline of the current candidate of layers of rings, dashed, in a slice.

    Parameters
    ----------
    painter : QPainter
    layers : iterable of Layer
    port : Viewport
    position : tuple of float
        World coordinates of a point of the slice.
    """
    for layer in layers:
        painter.setOpacity(layer.opacity)
        path = QPainterPath()
        for line in outline_in_slice(layer, port, position):
            path.addPolygon(QPolygonF([QPointF(*port.to_screen(point)) for point in line]))
        for colour, width in ((HALO, _HALO_WIDTH), (LINE, _WIDTH)):
            pen = QPen(colour, width)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            if colour is LINE:
                pen.setDashPattern(_DASHES)
            painter.strokePath(path, pen)
    painter.setOpacity(1)


def outline_in_slice(layer: Layer, port: Viewport, position: Point) -> list[list[Point]]:
    """Closed lines of world coordinates around the voxels of the candidate in a slice.

    Parameters
    ----------
    layer : Layer
        A layer of rings.
    port : Viewport
    position : tuple of float
        World coordinates of a point of the slice.
    """
    rings, plane = ring_boxes_of(layer), port.plane
    if rings is None or not len(rings.candidate):
        return []
    index = int(np.rint(layer.world_to_data(position)[plane.sliced]))
    voxels = rings.candidate[rings.candidate[:, plane.sliced] == index]
    if not len(voxels):
        return []
    axes = [plane.rows, plane.columns]
    first = voxels[:, axes].min(axis=0)
    mask = np.zeros(voxels[:, axes].max(axis=0) - first + 1, dtype=bool)
    mask[tuple((voxels[:, axes] - first).T)] = True
    return [_in_world(layer, np.array(line), first, port, index) for line in joined(edges_of(mask))]


def _in_world(
    layer: Layer,
    line: npt.NDArray[np.int_],
    first: npt.NDArray[np.int_],
    port: Viewport,
    index: int,
) -> list[Point]:
    """World coordinates of corners (point, 2), x and y in pixels from a first voxel."""
    data = np.empty((len(line), 3))
    data[:, port.plane.columns] = line[:, 0] + first[1] - 0.5
    data[:, port.plane.rows] = line[:, 1] + first[0] - 0.5
    data[:, port.plane.sliced] = index
    return [tuple(float(x) for x in layer.data_to_world(point)[-3:]) for point in data]  # type: ignore[misc]
