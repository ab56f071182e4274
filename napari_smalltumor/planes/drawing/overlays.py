"""What is written on a plane: names in the corners, orientation letters and a scale bar."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPainterPath, QPen

from napari_smalltumor.layers.views.edge_letters import Edges
from napari_smalltumor.planes.view import Viewport
from napari_smalltumor.widgets.elided_text import lines_apart

TEXT = QColor(245, 245, 245)
OUTLINE = QColor(0, 0, 0)
CROSSHAIR = QColor(90, 200, 250, 190)

_LETTER_POINTS, _TEXT_POINTS = 13, 9
_LINES = 4
"""Of a text in a corner."""

_MARGIN = 6.0
_GAP = 10.0
"""Pixels around the centre of the crosshair that stay free."""

_BAR_SHARE = 0.3
"""Largest share of the width that the scale bar takes."""


def draw_letters(painter: QPainter, edges: Edges, width: float, height: float) -> None:
    """Write the direction at the middle of each edge."""
    align = Qt.AlignmentFlag
    font = QFont(painter.font())
    font.setPointSize(_LETTER_POINTS)
    font.setBold(True)
    inner = QRectF(0, 0, width, height).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
    for letter, where in (
        (edges.left, align.AlignLeft | align.AlignVCenter),
        (edges.right, align.AlignRight | align.AlignVCenter),
        (edges.top, align.AlignTop | align.AlignHCenter),
        (edges.bottom, align.AlignBottom | align.AlignHCenter),
    ):
        draw_text(painter, inner, letter, where, font)


def draw_corner(
    painter: QPainter,
    text: str,
    width: float,
    height: float,
    corner: Qt.AlignmentFlag,
    others: Sequence[str] = (),
) -> None:
    """Write a text in a corner; one that reaches the middle takes several lines.

    If these do not suffice, it is cut, but not to look like others.
    """
    font = QFont(painter.font())
    font.setPointSize(_TEXT_POINTS)
    painter.setFont(font)
    metrics = painter.fontMetrics()
    available = int(width / 2 - 3 * _MARGIN)
    lines = lines_apart(text, others, available, metrics, _LINES)
    inner = QRectF(0, 0, width, height).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
    is_below = bool(corner & Qt.AlignmentFlag.AlignBottom)
    first = (1 - len(lines)) * metrics.height() if is_below else 0
    for number, line in enumerate(lines):
        where = inner.translated(0, first + number * metrics.height())
        draw_text(painter, where, line, corner, font)


def draw_scale_bar(painter: QPainter, port: Viewport) -> None:
    """Draw a bar of a round length in mm in the lower right corner."""
    length = bar_length(_BAR_SHARE * port.width / port.scale)
    pixels = length * port.scale
    right, bottom = port.width - _MARGIN - 2, port.height - _MARGIN - 4
    for colour, thickness in ((OUTLINE, 4.0), (TEXT, 2.0)):
        painter.setPen(QPen(colour, thickness))
        painter.drawLine(QPointF(right - pixels, bottom), QPointF(right, bottom))
    font = QFont(painter.font())
    font.setPointSize(_TEXT_POINTS)
    above = QRectF(right - port.width / 2, bottom - 26, port.width / 2, 22)
    align = Qt.AlignmentFlag
    draw_text(painter, above, f"{length:g} mm", align.AlignRight | align.AlignBottom, font)


def bar_length(longest_mm: float) -> float:
    """The longest of 1, 2 or 5 times a power of ten that is no longer than some mm."""
    power = 10.0 ** math.floor(math.log10(longest_mm))
    return max(step * power for step in (1, 2, 5) if step * power <= longest_mm * (1 + 1e-9))


def draw_crosshair(painter: QPainter, x: float, y: float, width: float, height: float) -> None:
    """Draw a horizontal and a vertical line with a gap, which leaves what is marked visible."""
    painter.setPen(QPen(CROSSHAIR, 1))
    for start, stop in ((0.0, x - _GAP), (x + _GAP, width)):
        if stop > start:
            painter.drawLine(QPointF(start, y), QPointF(stop, y))
    for start, stop in ((0.0, y - _GAP), (y + _GAP, height)):
        if stop > start:
            painter.drawLine(QPointF(x, start), QPointF(x, stop))


def draw_text(
    painter: QPainter, where: QRectF, text: str, alignment: Qt.AlignmentFlag, font: QFont
) -> None:
    """Write text with a black outline, which can be read on any image."""
    painter.setFont(font)
    metrics = painter.fontMetrics()
    place = metrics.boundingRect(where.toRect(), int(alignment), text)
    path = QPainterPath()
    path.addText(place.left(), place.top() + metrics.ascent(), font, text)
    painter.strokePath(path, QPen(OUTLINE, 3))
    painter.fillPath(path, TEXT)
