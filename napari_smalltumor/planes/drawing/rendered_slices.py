"""Slices of layers as Qt draws them, kept until the slice or the layer changes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QLineF, QPointF
from qtpy.QtGui import QColor, QImage, QPainterPath, QPolygonF

from napari_smalltumor.planes.drawing.rendering import (
    image_pixels,
    joined,
    labels_pixels,
    outlines,
    slice_of,
)
from napari_smalltumor.planes.linked_planes import LinkedPlanes
from napari_smalltumor.planes.plane import Plane

if TYPE_CHECKING:
    from napari.layers import Labels, Layer

Outline = tuple[QColor, list[QLineF] | QPainterPath]
"""Colour of a label, and its edges in pixels of the slice: as lines, or joined to a path."""

_State = tuple[int, int]
"""Index of the slice, and version of the layer."""


class RenderedSlices:
    """The slices of the layers in one plane.

    Parameters
    ----------
    planes : LinkedPlanes
    plane : Plane
    """

    def __init__(self, planes: LinkedPlanes, plane: Plane) -> None:
        self._planes, self._plane = planes, plane
        self._images: WeakKeyDictionary[Layer, tuple[_State, QImage]] = WeakKeyDictionary()
        self._outlines: WeakKeyDictionary[Layer, tuple[_State, list[Outline]]]
        self._outlines = WeakKeyDictionary()

    def image(self, layer: Layer, index: int) -> QImage:
        """A slice of an image or of labels, one pixel a voxel."""
        state = (index, self._planes.layers.version(layer))
        kept = self._images.get(layer)
        if kept is None or kept[0] != state:
            kept = self._images[layer] = (state, self._rendered(layer, index))
        return kept[1]

    def _rendered(self, layer: Layer, index: int) -> QImage:
        values = slice_of(layer.data, self._plane, index)
        render = image_pixels if layer._type_string == "image" else labels_pixels
        pixels = render(layer, values)  # type: ignore[arg-type]
        height, width = pixels.shape[:2]
        image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888)
        return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)

    def outlines(self, layer: Labels, index: int, *, joined_up: bool) -> list[Outline]:
        """The edges of the labels in a slice; `joined_up` edges can be drawn with dashes."""
        state = (index, self._planes.layers.version(layer))
        kept = self._outlines.get(layer)
        if kept is None or kept[0] != state:
            labels = slice_of(layer.data, self._plane, index).astype(int, copy=False)
            drawn = [
                (QColor(*colour.tolist()), _path_of(edges) if joined_up else _lines_of(edges))
                for colour, edges in outlines(layer, labels)
            ]
            kept = self._outlines[layer] = (state, drawn)
        return kept[1]


def _lines_of(edges: npt.NDArray[np.int_]) -> list[QLineF]:
    return [QLineF(*edge) for edge in edges.tolist()]


def _path_of(edges: npt.NDArray[np.int_]) -> QPainterPath:
    path = QPainterPath()
    for line in joined(edges):
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in line]))
    return path
