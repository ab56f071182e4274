"""What the mouse does in a plane.

The left button moves the crosshair or paints, the right one changes the window, the middle one
moves the image, and the wheel changes the slice, as in the viewers that radiologists use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QPointF, Qt
from qtpy.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from napari_smalltumor.display.window_level import dragged_limits, reset_window
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.status_line import status_line
from napari_smalltumor.planes.brush import Stroke
from napari_smalltumor.planes.canvas import PlaneCanvas
from napari_smalltumor.planes.drawing.ruler import Distance
from napari_smalltumor.planes.view import View, moved, zoomed

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_smalltumor.display.window_level import Limits
    from napari_smalltumor.planes.plane import Point

_ZOOM_STEP = 1.15
_NOTCH = 120
"""Angle of one notch of a mouse wheel, in eighths of a degree."""

_SLICES_OF_KEY = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_PageUp: -10,
    Qt.Key.Key_PageDown: 10,
}


class PlaneMouse(QObject):
    """Handles the mouse and the arrow keys in a plane.

    Parameters
    ----------
    canvas : PlaneCanvas
    """

    def __init__(self, canvas: PlaneCanvas) -> None:
        super().__init__(canvas)
        self._canvas, self._planes = canvas, canvas.planes
        self._stroke: Stroke | None = None
        self._stroke_at: tuple[float, View] | None = None
        self._last: QPointF | None = None
        self._windowed: Image | None = None
        self._window_start: tuple[Limits, QPointF | None] = (0.0, 1.0), None
        self._dragging = ""
        self._measured_from: Point | None = None
        self._wheel = 0
        viewer = self._planes.viewer
        assert viewer is not None
        self._patients = active_patient(viewer)
        self._patients.changed.connect(self._stop)
        self._status = status_line(viewer)
        self._planes.changed.connect(self._say_at_cursor)
        self._handlers: dict[QEvent.Type, Any] = {
            QEvent.Type.MouseButtonPress: self._on_press,
            QEvent.Type.MouseMove: self._on_move,
            QEvent.Type.MouseButtonRelease: self._on_release,
            QEvent.Type.MouseButtonDblClick: self._on_double_click,
            QEvent.Type.Wheel: self._on_wheel,
            QEvent.Type.Leave: self._on_leave,
            QEvent.Type.WindowDeactivate: self._on_deactivate,
            QEvent.Type.KeyPress: self._on_key,
        }
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Handle an event of the canvas; return whether it ends there."""
        handle = self._handlers.get(event.type())
        return bool(handle(event)) if handle is not None else False

    def _on_press(self, event: QMouseEvent) -> bool:
        self._last = _position(event)
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.button() == Qt.MouseButton.MiddleButton or (
            event.button() == Qt.MouseButton.LeftButton and control
        ):
            self._dragging = "pan"
        elif event.button() == Qt.MouseButton.RightButton:
            self._start_window()
        elif event.button() == Qt.MouseButton.LeftButton and self._planes.is_measuring:
            self._dragging = "measure"
            self._measured_from = self._point_at_last()
        elif event.button() == Qt.MouseButton.LeftButton and _has_alt(event):
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._planes.move_to(self._point_at_last())
            if self._canvas.may_edit:
                self._planes.alt_clicked.emit(self._point_at_last(), shift)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._start_stroke_or_crosshair()
        self._canvas.setFocus(Qt.FocusReason.MouseFocusReason)
        return True

    def _start_stroke_or_crosshair(self) -> None:
        layer = self._canvas.painted
        if layer is not None:
            self._dragging = "paint"
            self._stroke = Stroke(layer, self._canvas.plane)
            self._stroke_at = self._canvas.depth, self._planes.view
            self._stroke.continue_to(self._point_at_last())
        else:
            self._dragging = "crosshair"
            self._planes.move_to(self._point_at_last())

    def _continue_stroke(self, stroke: Stroke) -> None:
        """Paint on, unless the layer was hidden, another one selected, or another place shown."""
        is_there = self._stroke_at == (self._canvas.depth, self._planes.view)
        if self._canvas.painted is stroke.layer and is_there and not stroke.has_ended:
            stroke.continue_to(self._point_at_last())
        else:
            self._stop()

    def _measure(self) -> None:
        """Draw the line to the cursor, unless another slice is shown than when it was begun."""
        assert self._measured_from is not None
        end, sliced = self._point_at_last(), self._canvas.plane.sliced
        if end[sliced] != self._measured_from[sliced]:
            self._stop()
            return
        scan = self._canvas.measured
        self._planes.distance = Distance(
            self._canvas.plane, self._measured_from, end, None if scan is None else ref(scan)
        )

    def _start_window(self) -> None:
        self._windowed = self._canvas.windowed
        if self._windowed is not None:
            low, high = self._windowed.contrast_limits
            self._window_start = (float(low), float(high)), self._last

    def _drag_window(self) -> None:
        assert self._windowed is not None and self._last is not None
        limits, start = self._window_start
        assert start is not None
        moved_by = self._last - start
        self._windowed.contrast_limits = dragged_limits(limits, moved_by.x(), moved_by.y())

    def _on_move(self, event: QMouseEvent) -> bool:
        before, self._last = self._last, _position(event)
        self._canvas.cursor_at = self._last
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.buttons() == Qt.MouseButton.NoButton:
            self._stop()  # a dialog may have got the release
        if self._dragging == "pan" and before is not None:
            shift_by = self._last - before
            view = moved(self._planes.view, self._canvas.port, shift_by.x(), shift_by.y())
            self._planes.view = view
        elif self._windowed is not None:
            self._drag_window()
        elif self._dragging == "measure":
            self._measure()
        elif self._stroke is not None:
            self._continue_stroke(self._stroke)
        elif self._dragging == "crosshair" or self._planes.follows_cursor or shift:
            self._planes.move_to(self._point_at_last())
        self._canvas.update()
        self._say_at_cursor()
        return True

    def _on_release(self, event: QMouseEvent) -> bool:
        self._stop()
        return True

    def _on_double_click(self, event: QMouseEvent) -> bool:
        if event.button() == Qt.MouseButton.RightButton:
            image = self._canvas.windowed
            if image is not None:
                reset_window(image)
        elif event.button() == Qt.MouseButton.LeftButton and self._stroke is None:
            if self._planes.is_measuring:
                return self._on_press(event)  # the second of two quick lines
            if self._canvas.painted is not None:
                return self._on_press(event)  # the second of two quick dabs
            self._canvas.double_clicked.emit()
        return True

    def _on_wheel(self, event: QWheelEvent) -> bool:
        angle = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._zoom(_ZOOM_STEP ** (angle / _NOTCH), event.position())
        else:
            self._wheel += angle
            notches = int(self._wheel / _NOTCH)
            self._wheel -= notches * _NOTCH
            if notches:
                self._planes.step(self._canvas.plane, -notches)
        event.accept()
        return True

    def _zoom(self, factor: float, at: QPointF) -> None:
        port = self._canvas.port
        fixed = port.to_world(at.x(), at.y(), port.centre[port.plane.sliced])
        self._planes.view = zoomed(self._planes.view, port, factor, fixed)

    def _on_leave(self, event: QEvent) -> bool:
        self._canvas.cursor_at = None
        self._status.say_at_cursor("")
        self._canvas.update()
        return False

    def _on_deactivate(self, event: QEvent) -> bool:
        """End a stroke when a dialog opens, which gets the release of the button."""
        self._stop()
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        slices = _SLICES_OF_KEY.get(Qt.Key(event.key()))
        if slices is None or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        self._planes.step(self._canvas.plane, slices)
        return True

    def _stop(self) -> None:
        """End what the mouse does, as when another patient becomes active."""
        stroke, self._stroke = self._stroke, None
        self._dragging, self._windowed = "", None
        if stroke is not None:
            stroke.end()

    def _say_at_cursor(self) -> None:
        """Show in the status bar what is under the cursor; a wheel or a stroke changes it, too."""
        if isalive(self._canvas) and self._canvas.cursor_at is not None:
            self._status.say_at_cursor(self._canvas.text_at(self._point_at_last()))

    def _point_at_last(self) -> Point:
        assert self._last is not None
        return self._canvas.port.to_world(self._last.x(), self._last.y(), self._canvas.depth)


def _has_alt(event: QMouseEvent) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)


def _position(event: QMouseEvent) -> QPointF:
    position = getattr(event, "position", None)  # Qt 5 has localPos
    return QPointF(position() if position is not None else event.localPos())
