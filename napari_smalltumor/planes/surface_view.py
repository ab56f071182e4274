"""The fourth quarter: the head and the visible masks in three dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, WeakKeyDictionary, ref

import numpy as np
import numpy.typing as npt
from qtpy.compat import isalive
from qtpy.QtCore import QPointF, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from qtpy.QtWidgets import QSizePolicy, QWidget
from smalltumor.geometry.boxes import bounding_box

from napari_smalltumor.layers.masks.reference import reference_of
from napari_smalltumor.layers.metadata import checksum
from napari_smalltumor.layers.views.edge_letters import Edges, edges_of_directions
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.drawing import overlays
from napari_smalltumor.planes.linked_planes import LinkedPlanes
from napari_smalltumor.planes.surfaces import Surface, shade, surface_of, view_axes

if TYPE_CHECKING:
    from napari.layers import Layer

_HEAD_VOXELS = 400_000
"""The head's surface is computed from about this many voxels."""

_HEAD_COLOUR, _HEAD_OPACITY = (0.75, 0.75, 0.78), 0.35
_MASK_OPACITY = 0.85
_OUTER_OPACITY = 0.45
"""Of a mask that others follow, which may lie inside it."""

_UPDATE_AFTER_MS = 250
_DEGREES_PER_PIXEL = 0.5
_MARGIN = 1.05


@dataclass(frozen=True)
class _Part:
    layer: ReferenceType[Layer]
    surface: Surface
    colour: tuple[float, float, float]
    opacity: float


class SurfaceView(QWidget):
    """Draws surfaces of the head and of the masks; dragging turns them.

    Masks are drawn in the order of the layers without hiding each other, so that an enhancing
    lesion is seen inside the edema.

    Parameters
    ----------
    planes : LinkedPlanes
    """

    double_clicked = Signal()

    def __init__(self, planes: LinkedPlanes) -> None:
        super().__init__()
        self._planes = planes
        self._yaw, self._pitch, self._magnification = 0.0, 0.0, 1.0
        self._last: QPointF | None = None
        self._parts: list[_Part] | None = None
        self._drawn_state: list[tuple[int, int]] = []
        self._heads: WeakKeyDictionary[Layer, Surface] = WeakKeyDictionary()
        self._picture: QImage | None = None
        self.setMinimumSize(80, 80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("3D view")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_UPDATE_AFTER_MS)
        self._timer.timeout.connect(self._compute_again)
        planes.layers.voxels_changed.connect(self._on_voxels)
        planes.changed.connect(self._redraw)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the surfaces and the crosshair."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0))
        if not self._planes.layers.drawn:
            return
        self._drop_hidden()
        if self._picture is None or self._picture.size() != self.size():
            self._picture = self._render()
        painter.drawImage(0, 0, self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        offset = np.asarray(self._planes.position) - self._centre
        x, y, _ = self._axes @ offset * self._scale
        middle = QPointF(self.width() / 2 + x, self.height() / 2 + y)
        painter.setPen(QPen(overlays.CROSSHAIR, 1))
        for dx, dy in ((12.0, 0.0), (0.0, 12.0)):
            painter.drawLine(middle - QPointF(dx, dy), middle + QPointF(dx, dy))
        overlays.draw_letters(painter, self.edges, self.width(), self.height())
        left = Qt.AlignmentFlag.AlignLeft
        waits = self._timer.isActive() and not self._parts
        state = "3D, computing ..." if waits else "3D"
        for text, edge in (
            (self._patient, Qt.AlignmentFlag.AlignTop),
            (state, Qt.AlignmentFlag.AlignBottom),
        ):
            size, patients = (self.width(), self.height()), self._planes.patient_titles
            overlays.draw_corner(painter, text, *size, left | edge, patients)

    def turn(self, yaw: float = 5.0, pitch: float = 0.0) -> None:
        """Turn the head by some degrees to the side, and tilt it."""
        self._yaw += yaw
        self._pitch = float(np.clip(self._pitch + pitch, -90, 90))
        self._draw_again()

    def compute(self) -> None:
        """Compute the surfaces of the masks again, and draw them."""
        self._parts = None
        self._draw_again()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Start to turn the head."""
        self._last = QPointF(event.pos())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Turn the head."""
        if self._last is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        moved, self._last = QPointF(event.pos()) - self._last, QPointF(event.pos())
        self.turn(-moved.x() * _DEGREES_PER_PIXEL, moved.y() * _DEGREES_PER_PIXEL)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Enlarge the view."""
        self.double_clicked.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Magnify."""
        factor = 1.15 ** (event.angleDelta().y() / 120)
        self._magnification = float(np.clip(self._magnification * factor, 0.5, 20))
        self._draw_again()
        event.accept()

    @property
    def edges(self) -> Edges:
        """The letters that are shown at the edges."""
        right, down, _ = self._axes
        return edges_of_directions(right, down)

    @property
    def _axes(self) -> npt.NDArray[np.float64]:
        return view_axes(self._yaw, self._pitch)

    @property
    def _centre(self) -> npt.NDArray[np.float64]:
        return np.asarray(self._planes.extent.mean(axis=0))

    @property
    def _scale(self) -> float:
        size = float((self._planes.extent[1] - self._planes.extent[0]).max()) * _MARGIN
        return self._magnification * min(self.width(), self.height()) / max(size, 1e-6)

    @property
    def _patient(self) -> str:
        viewer = self._planes.viewer
        return active_patient(viewer).title if viewer is not None else ""

    def _drop_hidden(self) -> None:
        """Forget surfaces of layers that are not shown any more, such as another patient's."""
        shown = self._planes.layers.drawn
        parts = [x for x in self._parts or () if any(x.layer() is layer for layer in shown)]
        if self._parts is not None and len(parts) < len(self._parts):
            self._parts, self._picture = parts, None

    def _render(self) -> QImage:
        """Draw all surfaces over each other on black."""
        if self._parts is None:
            self._drawn_state = self._state()
            self._parts = [*self._head(), *self._masks()]
        height, width = self.height(), self.width()
        colours = np.zeros((height, width, 3), np.float32)
        for part in self._parts:
            light = shade(part.surface, self._axes, self._centre, self._scale, (height, width))
            cover = part.opacity * (light > 0)[..., None]
            colours += cover * (light[..., None] * np.array(part.colour, np.float32) - colours)
        pixels = np.full((height, width, 4), 255, np.uint8)
        pixels[..., :3] = colours * 255
        image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888)
        return image.convertToFormat(QImage.Format.Format_RGB32)

    def _head(self) -> list[_Part]:
        """The surface of what is not background in the topmost image."""
        layers = self._planes.layers
        images = [layer for layer in layers.drawn if layer._type_string == "image"]
        if not images:
            return []
        layer = images[-1]
        placement = layers.placement(layer)
        assert placement is not None
        if layer not in self._heads:
            stride = max(1, round((layer.data.size / _HEAD_VOXELS) ** (1 / 3)))
            thinned = np.asarray(layer.data[::stride, ::stride, ::stride])
            step = placement.step * stride
            coarse = replace(placement, step=step, shape=thinned.shape)
            self._heads[layer] = surface_of(thinned != thinned[0, 0, 0], coarse)
        return [_Part(ref(layer), self._heads[layer], _HEAD_COLOUR, _HEAD_OPACITY)]

    def _masks(self) -> list[_Part]:
        """The surface of each label of the visible masks, in the order of the layers.

        A reference would hide the masks that it is compared with.
        """
        drawn = self._planes.layers.drawn
        labels = [x for x in drawn if x._type_string == "labels" and reference_of(x) is None]
        found = [part for layer in labels for part in self._surfaces_of(layer)]
        last = len(found) - 1
        return [
            replace(part, opacity=_MASK_OPACITY if number == last else _OUTER_OPACITY)
            for number, part in enumerate(found)
        ]

    def _surfaces_of(self, layer: Any) -> Iterator[_Part]:
        placement, data = self._planes.layers.placement(layer), np.asarray(layer.data)
        if placement is None or not data.any():
            return
        box = bounding_box(data)
        start = np.array([part.start for part in box])
        cropped = data[box]
        inside = replace(placement, first=placement.first + placement.step * start)
        for value in np.unique(cropped):
            red, green, blue, opacity = np.atleast_2d(layer.colormap.map(value))[0]
            if value and opacity > 0:
                colour = float(red), float(green), float(blue)
                surface = surface_of(cropped == value, inside)
                yield _Part(ref(layer), surface, colour, _MASK_OPACITY)

    def _on_voxels(self) -> None:
        if isalive(self):  # the viewer's planes exist longer than its window
            self._timer.start()

    def _compute_again(self) -> None:
        """Compute the surfaces again if what they are of has changed."""
        if not self.isVisible():
            self._parts = self._picture = None
        elif self._state() != self._drawn_state:
            self.compute()

    def _state(self) -> list[tuple[int, int]]:
        """Identity and checksum of the masks, and identity of the images."""
        layers = self._planes.layers.drawn
        return [
            (id(x), checksum(np.asarray(x.data)) if x._type_string == "labels" else 0)
            for x in layers
        ]

    def _draw_again(self) -> None:
        self._picture = None
        self.update()

    def _redraw(self) -> None:
        if isalive(self):
            self.update()
