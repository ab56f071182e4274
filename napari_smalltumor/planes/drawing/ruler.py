"""A distance that is measured in a plane: a line in one slice, with its length in mm."""

from __future__ import annotations

from dataclasses import dataclass
from math import dist
from typing import TYPE_CHECKING
from weakref import ref

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen

from napari_smalltumor.planes.drawing import overlays
from napari_smalltumor.planes.plane import Plane, Point
from napari_smalltumor.planes.view import Viewport

if TYPE_CHECKING:
    from napari.layers import Layer

_LINE = QColor(255, 214, 10)
_END_PIXELS = 4.0
"""Half the length of the marks at both ends."""
_TEXT_OFFSET = 8.0


@dataclass(frozen=True)
class Distance:
    """A line in a slice.

    Parameters
    ----------
    plane : Plane
    start, end : (float, float, float)
        World coordinates in mm, in one slice of the plane.
    scan : weak reference to a layer, optional
        The image on which it was measured; None for any image of the current scan of a patient.
    """

    plane: Plane
    start: Point
    end: Point
    scan: ref[Layer] | None = None

    @property
    def mm(self) -> float:
        """Length of the line."""
        return dist(self.start, self.end)

    def is_of(self, scan: Layer | None) -> bool:
        """Whether it was measured on an image, or on the current scan if that is None."""
        return self.scan is None if scan is None else self.scan is not None and self.scan() is scan


def draw_distance(painter: QPainter, distance: Distance, port: Viewport) -> None:
    """Draw the line with marks at its ends, and its length beside the lower one, in the plane."""
    ends = [QPointF(*port.to_screen(point)) for point in (distance.start, distance.end)]
    along = ends[1] - ends[0]
    length = max((along.x() ** 2 + along.y() ** 2) ** 0.5, 1e-9)
    across = QPointF(-along.y(), along.x()) * (_END_PIXELS / length)
    for colour, width in ((overlays.OUTLINE, 3.0), (_LINE, 1.4)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(*ends)
        for end in ends:
            painter.drawLine(end - across, end + across)
    lower = max(ends, key=lambda end: end.y())
    font = QFont(painter.font())
    font.setBold(True)
    text = f"{distance.mm:.1f} mm"
    where = place_beside(lower, QFontMetrics(font, painter.device()).size(0, text), port)
    align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
    overlays.draw_text(painter, where, text, align, font)


def place_beside(end: QPointF, size: QSize, port: Viewport) -> QRectF:
    """The place of a text to the right of an end, to the left if there is no room, or above."""
    right = end.x() + _TEXT_OFFSET
    fits = right + size.width() <= port.width
    left = right if fits else end.x() - _TEXT_OFFSET - size.width()
    top = min(end.y(), port.height - size.height())
    return QRectF(max(left, 0), max(top, 0), size.width() + 1, size.height() + 1)
