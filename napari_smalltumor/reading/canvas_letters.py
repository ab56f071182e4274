"""Orientation letters at the edges of napari's own canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from napari_smalltumor.layers.coordinates import uses_display_axes
from napari_smalltumor.planes import drawing
from napari_smalltumor.planes.plane import PLANES, Plane

if TYPE_CHECKING:
    from napari.components import ViewerModel


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
        for signal in (dims.order, dims.ndisplay, layers.inserted, layers.removed):
            signal.connect(self._redraw)
        self.show()

    @property
    def plane(self) -> Plane | None:
        """The upright plane that the canvas shows; None in 3D, or if it is no such plane."""
        viewer = self._viewer()
        if viewer is None or viewer.dims.ndisplay != 2 or viewer.dims.ndim != 3:
            return None
        if not uses_display_axes(layer for layer in viewer.layers if layer.visible):
            return None
        order = tuple(viewer.dims.order)
        return next((p for p in PLANES if (p.sliced, p.rows, p.columns) == order), None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Stay as large as the canvas."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.resize(watched.size())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the letters."""
        if self.plane is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            drawing.draw_letters(painter, self.plane, self.width(), self.height())

    def _redraw(self, event: Any = None) -> None:
        if isalive(self):
            self.update()
