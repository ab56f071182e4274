"""Orientation letters at the edges of napari's own canvas."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from napari_smalltumor.layers.views.edge_letters import Edges, edges_of_canvas, is_mirror_image
from napari_smalltumor.planes.drawing import overlays

if TYPE_CHECKING:
    from napari.components import ViewerModel


MIRROR_IMAGE = "Mirror image: left and right are swapped"
"""Written at the top in 3D."""


class CanvasLetters(QWidget):
    """A transparent widget over napari's canvas, which gets no mouse events.

    Parameters
    ----------
    viewer : ViewerModel
    canvas : QWidget
        The widget in which napari draws.
    """

    def __init__(self, viewer: ViewerModel, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._viewer = ref(viewer)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.resize(canvas.size())
        canvas.installEventFilter(self)
        dims, layers = viewer.dims.events, viewer.layers.events
        camera = viewer.scene.camera.events
        turned = camera.orientation, camera.angles
        for signal in (dims.order, dims.ndisplay, *turned, layers.inserted, layers.removed):
            signal.connect(self._redraw)
        self.show()

    @property
    def edges(self) -> Edges | None:
        """The letters that are shown; None if no visible layer has known axes."""
        viewer = self._viewer()
        return edges_of_canvas(viewer) if viewer is not None else None

    @property
    def warning(self) -> str:
        """What is written instead of the top letter in 3D if the head is mirrored."""
        viewer = self._viewer()
        return MIRROR_IMAGE if viewer is not None and is_mirror_image(viewer) else ""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Stay as large as the canvas."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.resize(watched.size())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the letters and the warning."""
        edges = self.edges
        if edges is not None and self.warning:
            edges = replace(edges, top=self.warning)
        if edges is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            overlays.draw_letters(painter, edges, self.width(), self.height())

    def _redraw(self, event: Any = None) -> None:
        if isalive(self):
            self.update()
