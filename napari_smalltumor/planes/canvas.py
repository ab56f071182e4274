"""A plane on the screen, drawn by Qt from the slices of napari's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import QPointF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QTransform,
)
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_smalltumor.display.window_level import image_to_window
from napari_smalltumor.layers.coordinates import uses_display_axes
from napari_smalltumor.layers.editing.earlier_scan import is_earlier_scan, title_of_earlier_scan
from napari_smalltumor.layers.masks.reference import reference_of
from napari_smalltumor.layers.titles import name_without_patient
from napari_smalltumor.layers.views.edge_letters import Edges, edges_of_plane
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.brush import layer_to_paint
from napari_smalltumor.planes.cursor_text import text_at
from napari_smalltumor.planes.drawing import overlays
from napari_smalltumor.planes.drawing.candidate import draw_candidate
from napari_smalltumor.planes.drawing.rendered_slices import RenderedSlices
from napari_smalltumor.planes.drawing.rings import draw_rings
from napari_smalltumor.planes.drawing.ruler import draw_distance
from napari_smalltumor.planes.linked_planes import LinkedPlanes
from napari_smalltumor.planes.plane import Plane
from napari_smalltumor.planes.view import Viewport, viewport

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer

    from napari_smalltumor.planes.plane import Point

_Writing = tuple[QSize, tuple[str, str, str], list[str], float, Edges | None]
"""What the writing on a plane depends on: size, texts in the corners, pixels per mm, letters."""

_OUTLINE_PIXELS = 1.5
"""Width on the screen of an outline whose layer has the contour 1."""

_DASHES = (4.0, 3.0)
"""Lengths of the dashes of a reference and of the gaps between them, in widths of the line."""

_MIN_SIZE = QSize(80, 80)
_CORNERS = (
    Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft,
    Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight,
    Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft,
)
_COMPOSITION = {
    "additive": QPainter.CompositionMode.CompositionMode_Plus,
    "minimum": QPainter.CompositionMode.CompositionMode_Darken,
}


class PlaneCanvas(QWidget):
    """Shows one plane; `mouse.PlaneMouse` handles its mouse events.

    Parameters
    ----------
    planes : LinkedPlanes
    plane : Plane
    """

    double_clicked = Signal()

    def __init__(self, planes: LinkedPlanes, plane: Plane) -> None:
        super().__init__()
        self.planes, self.plane = planes, plane
        self.cursor_at: QPointF | None = None
        self._slices = RenderedSlices(planes, plane)
        self._written: tuple[_Writing, QPixmap] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(_MIN_SIZE)
        self.setAccessibleName(f"{plane.name} plane")
        planes.changed.connect(self._redraw)

    @property
    def port(self) -> Viewport:
        """What the widget shows."""
        planes = self.planes
        return viewport(planes.view, self.plane, planes.extent, self.width(), self.height())

    @property
    def depth(self) -> float:
        """World coordinate of the slice."""
        return self.planes.position[self.plane.sliced]

    @property
    def layers(self) -> list[Layer]:
        """The images and labels that are drawn, from bottom to top."""
        return self.planes.layers.drawn

    @property
    def ringed(self) -> list[Layer]:
        """The points layers whose rings are drawn."""
        return self.planes.layers.of_type("points")

    @property
    def painted(self) -> Labels | None:
        """The layer that a stroke in the plane would change."""
        viewer = self.planes.viewer
        return layer_to_paint(viewer) if viewer is not None else None

    @property
    def windowed(self) -> Image | None:
        """The image whose window a drag in the plane changes."""
        viewer = self.planes.viewer
        return image_to_window(viewer) if viewer is not None else None

    @property
    def measured(self) -> Layer | None:
        """The image on which a distance is measured; None if it is one of the current scan."""
        image = next((x for x in reversed(self.layers) if x._type_string == "image"), None)
        viewer = self.planes.viewer
        if image is None or viewer is None:
            return image
        is_other = is_earlier_scan(image) or active_patient(viewer).current is None
        return image if is_other else None

    @property
    def may_edit(self) -> bool:
        """Whether Alt and click may change the mask at the place under the cursor."""
        return True

    def text_at(self, point: Point) -> str:
        """Value, masks and position at a point, as `cursor_text.text_at`."""
        return text_at(((x, self.planes.layers.placement(x)) for x in self.layers), point)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the slices, rings, crosshair and overlays."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0))
        layers = self.layers
        if not layers:
            return
        port = self.port
        for layer in layers:
            self._draw_layer(painter, port, layer)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_rings(painter, self.ringed, port, self.depth)
        draw_candidate(painter, self.ringed, port, self.planes.position)
        self._draw_crosshair(painter, port)
        self._annotate(painter, port, layers)
        self._draw_distance(painter, port)
        self._draw_brush(painter, port)

    def _draw_layer(self, painter: QPainter, port: Viewport, layer: Layer) -> None:
        placement = self.planes.layers.placement(layer)
        index = placement.slice_index(self.plane, self.planes.position) if placement else None
        if placement is None or index is None:
            return
        image = self._slices.image(layer, index)
        left, top, width, height = placement.rectangle(self.plane)
        corner = list(self.planes.position)
        corner[self.plane.columns], corner[self.plane.rows] = left, top
        x, y = port.to_screen((corner[0], corner[1], corner[2]))
        painter.save()
        painter.setTransform(
            QTransform(
                width * port.scale / image.width(), 0, 0,
                height * port.scale / image.height(), x, y,
            )
        )  # fmt: skip
        painter.setOpacity(layer.opacity)
        if layer._type_string == "labels" and layer.contour > 0:
            self._draw_outlines(painter, layer, index)
            painter.restore()
            return
        smooth = layer._type_string == "image" and layer.interpolation2d != "nearest"
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        mode = _COMPOSITION.get(str(layer.blending))
        if mode is not None:
            painter.setCompositionMode(mode)
        painter.drawImage(0, 0, image)
        painter.restore()

    def _draw_outlines(self, painter: QPainter, layer: Labels, index: int) -> None:
        """Draw the edges of labels as lines of a constant width on the screen."""
        dashed = reference_of(layer) is not None
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, lines in self._slices.outlines(layer, index, joined_up=dashed):
            pen = QPen(colour, _OUTLINE_PIXELS * layer.contour)
            pen.setCosmetic(True)
            if dashed:
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)
                pen.setDashPattern(_DASHES)
            painter.setPen(pen)
            painter.drawPath(lines) if isinstance(lines, QPainterPath) else painter.drawLines(lines)

    def _draw_crosshair(self, painter: QPainter, port: Viewport) -> None:
        x, y = port.to_screen(self.planes.position)
        overlays.draw_crosshair(painter, x, y, port.width, port.height)

    def _annotate(self, painter: QPainter, port: Viewport, layers: list[Layer]) -> None:
        """Draw what is written on the plane; outlined text takes longer than the images."""
        known = uses_display_axes(layers)
        edges = edges_of_plane(self.plane.rows, self.plane.columns, layers) if known else None
        patients = self.planes.patient_titles
        state = (self.size(), self.corners(), patients, port.scale, edges)
        if self._written is None or self._written[0] != state:
            self._written = state, self._write(port, edges, patients)
        painter.drawPixmap(0, 0, self._written[1])

    def _write(self, port: Viewport, edges: Edges | None, patients: list[str]) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setFont(self.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if edges is not None:
            overlays.draw_letters(painter, edges, port.width, port.height)
        overlays.draw_scale_bar(painter, port)
        for text, corner in zip(self.corners(), _CORNERS, strict=True):
            overlays.draw_corner(painter, text, port.width, port.height, corner, patients)
        painter.end()
        return pixmap

    def corners(self) -> tuple[str, str, str]:
        """The patient, the topmost image, and the slice, numbered as on napari's slider.

        An earlier scan has its own title in place of the patient's.
        """
        viewer, layers = self.planes.viewer, self.layers
        patients = active_patient(viewer) if viewer is not None else None
        patient = patients.title if patients is not None else ""
        images = [layer for layer in layers if layer._type_string == "image"]
        image = name_without_patient(images[-1]) if images else ""
        patient = (title_of_earlier_scan(images[-1]) if images else "") or patient
        placement = self.planes.layers.placement((images or layers)[0]) if layers else None
        index = placement.slice_index(self.plane, self.planes.position) if placement else None
        if placement is None or index is None:
            return patient, image, self.plane.name
        return patient, image, f"{self.plane.name} {index}"

    def _draw_distance(self, painter: QPainter, port: Viewport) -> None:
        """Draw the distance that was measured in this slice."""
        distance = self.planes.distance
        if distance is None or distance.plane != self.plane:
            return
        if distance.is_of(self.measured) and self._is_shown(distance.start):
            draw_distance(painter, distance, port)

    def _is_shown(self, point: Point) -> bool:
        """Whether a point is in the slice that is shown."""
        placement = self.planes.layers.placement(self.layers[0])
        if placement is None:
            return False
        at = placement.slice_index(self.plane, point)
        return at is not None and at == placement.slice_index(self.plane, self.planes.position)

    def _draw_brush(self, painter: QPainter, port: Viewport) -> None:
        """Draw a circle of the brush's size at the cursor."""
        layer = self.painted
        if layer is None or self.cursor_at is None:
            return
        placement = self.planes.layers.placement(layer)
        assert placement is not None
        in_plane = [self.plane.rows, self.plane.columns]
        radius = layer.brush_size / 2 * float(np.abs(placement.step[in_plane]).min()) * port.scale
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, line in ((overlays.OUTLINE, 3.0), (overlays.TEXT, 1.0)):
            painter.setPen(QPen(colour, line))
            painter.drawEllipse(self.cursor_at, radius, radius)

    def _redraw(self) -> None:
        if isalive(self):  # the viewer's planes exist longer than its window
            self.update()
