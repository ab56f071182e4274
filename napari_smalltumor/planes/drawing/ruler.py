"""A distance that is measured in a plane: a line in one slice, with its length in mm."""

from __future__ import annotations

from dataclasses import dataclass
from math import dist

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPen

from napari_smalltumor.planes.drawing import overlays
from napari_smalltumor.planes.plane import Plane, Point
from napari_smalltumor.planes.view import Viewport

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
    of_earlier : bool
        Whether it was drawn on the earlier scan of a follow-up.
    """

    plane: Plane
    start: Point
    end: Point
    of_earlier: bool = False

    @property
    def mm(self) -> float:
        """Length of the line."""
        return dist(self.start, self.end)


def draw_distance(painter: QPainter, distance: Distance, port: Viewport) -> None:
    """Draw the line with marks at its ends, and its length beside the lower one."""
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
    where = QRectF(lower.x() + _TEXT_OFFSET, lower.y(), port.width, port.height)
    align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
    overlays.draw_text(painter, where, f"{distance.mm:.1f} mm", align, font)
