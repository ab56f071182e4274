"""Rings around lesions in a plane, as on napari's canvas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPen

from napari_smalltumor.layers.views.ring_boxes import ring_boxes_of
from napari_smalltumor.planes.view import Viewport

if TYPE_CHECKING:
    from napari.layers import Layer

RING, CURRENT, HALO = QColor(87, 204, 255), QColor(255, 255, 255), QColor(0, 0, 0)
MIN_PIXELS = 30.0
GAP_PIXELS = 10.0
"""Difference between the diameters of a ring and its lesion on the screen."""

_WIDTH, _CURRENT_WIDTH, _HALO_WIDTH = 2.0, 3.0, 2.0


def rings_in_slice(
    layer: Layer, port: Viewport, depth: float
) -> Iterator[tuple[QPointF, float, bool]]:
    """Centre and radius in pixels of the rings of a slice, and whether each is the current one.

    A ring is drawn on the slices that its lesion occupies.

    Parameters
    ----------
    layer : Layer
        A layer of rings.
    port : Viewport
    depth : float
        World coordinate of the slice.
    """
    rings = ring_boxes_of(layer)
    if rings is None:
        return
    sliced = port.plane.sliced
    for box, diameter, current in zip(rings.boxes, rings.diameters, rings.current, strict=True):
        ends = np.array([layer.data_to_world(corner) for corner in box.T - 0.5])
        if not ends[:, sliced].min() <= depth <= ends[:, sliced].max():
            continue
        middle = ends.mean(axis=0)
        x, y = port.to_screen((float(middle[0]), float(middle[1]), float(middle[2])))
        pixels = max(MIN_PIXELS, float(diameter) * port.scale + GAP_PIXELS)
        yield QPointF(x, y), pixels / 2, bool(current)


def draw_rings(painter: QPainter, layers: Iterable[Layer], port: Viewport, depth: float) -> None:
    """Draw the rings of some layers, each with a black outline."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for layer in layers:
        painter.setOpacity(layer.opacity)
        for centre, radius, current in rings_in_slice(layer, port, depth):
            width = _CURRENT_WIDTH if current else _WIDTH
            painter.setPen(QPen(HALO, width + _HALO_WIDTH))
            painter.drawEllipse(centre, radius, radius)
            painter.setPen(QPen(CURRENT if current else RING, width))
            painter.drawEllipse(centre, radius, radius)
    painter.setOpacity(1)
