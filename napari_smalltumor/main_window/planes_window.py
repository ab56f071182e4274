"""Put the planes into napari's window, in the place of its canvas.

napari's canvas stays in the window, hidden, while the planes are shown. Only Qt and the public
class `napari.qt.QtViewer` are used, because napari 0.10 withdraws its private attributes.

Why not napari-orthogonal-views: its canvases are further napari viewers with copies of the layers,
which share the undo history and the overlays through private attributes of napari. A copied layer
would also have to be hidden and locked with its patient in three more places.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import QMainWindow, QShortcut

from napari_smalltumor.main_window.chord_releases import ChordReleases
from napari_smalltumor.main_window.dock_shortcuts import bind_dock_shortcuts
from napari_smalltumor.main_window.forwarded_drops import ForwardedDrops
from napari_smalltumor.main_window.planes_area import Layout, PlanesArea
from napari_smalltumor.patients.status_line import status_line
from napari_smalltumor.planes.brush import selection_hint
from napari_smalltumor.planes.linked_planes import linked_planes
from napari_smalltumor.planes.plane import PLANES
from napari_smalltumor.viewer import unproxied, window_and_canvas
from napari_smalltumor.widgets.readable_messages import ensure_readable_messages

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.qt import QtViewer

_NAPARI_LETTERS = ("P", "E", "Z", "F", "L", "[", "]")
"""napari's keys for the tools of a layer. A list that has the focus would swallow them, and the
next click would still paint."""

_PAINTING = ("P", "E")


class PlanesWindow(QObject):
    """Shows either napari's canvas or the planes in a window.

    Parameters
    ----------
    viewer : ViewerModel
    main_window : QMainWindow
        The window of the viewer.
    canvas : QtViewer
        napari's canvas in that window.
    """

    layout_changed = Signal(str)

    def __init__(self, viewer: ViewerModel, main_window: QMainWindow, canvas: QtViewer) -> None:
        super().__init__(main_window)
        self.planes = linked_planes(viewer)
        self._canvas = ref(canvas)  # the canvas holds the viewer, which must be able to die
        self.area: PlanesArea | None = None
        ensure_readable_messages(canvas.canvas.native, main_window)
        for letter in _NAPARI_LETTERS:
            shortcut = QShortcut(QKeySequence(letter), main_window)
            shortcut.activated.connect(partial(self._send, QKeySequence(letter)))
        ChordReleases(main_window, canvas.canvas.native)
        bind_dock_shortcuts(main_window, lambda: self.planes.viewer)

    @property
    def main_window(self) -> QMainWindow:
        """The window of the viewer."""
        return self.parent()

    @property
    def layout(self) -> Layout:
        """What the window shows."""
        if self.area is None or self.area.isHidden():
            return Layout.CANVAS
        return self.area.shown

    def show(self, layout: Layout) -> None:
        """Show napari's canvas or planes."""
        if layout is Layout.CANVAS:
            self._set_area_visible(False)
        else:
            area = self._ensure_area()
            area.show_layout(layout)
            self._set_area_visible(True)
        self.layout_changed.emit(str(layout))

    def toggle(self) -> None:
        """Change between napari's canvas and what was shown of the planes."""
        if self.layout is Layout.CANVAS:
            self.show(self.area.shown if self.area is not None else Layout.FOUR)
        else:
            self.show(Layout.CANVAS)

    @property
    def is_beside(self) -> bool:
        """Whether a plane of the earlier scan is shown beside that of the present one."""
        return self.layout is not Layout.CANVAS and self._ensure_area().is_beside

    def show_beside(self, beside: bool) -> None:
        """Show a plane beside the same plane of the earlier scan, or by itself again."""
        if self.area is not None and not isalive(self.area):
            return
        if beside:
            self._ensure_area()
            self._set_area_visible(True)
        if self.area is not None:
            self.area.show_beside(beside)

    def focus_images(self) -> None:
        """Give the focus to the axial plane, else to the plane that is shown, or to the canvas."""
        planes = self.area.canvases if self.area is not None else []
        shown = [plane for plane in planes if plane.isVisible()]
        (shown[0] if shown else self.napari_canvas.canvas.native).setFocus()

    def _send(self, letter: QKeySequence) -> None:
        """Give a letter to napari, which expects it from its canvas.

        The canvas is called, because Qt would send the event to this shortcut again.
        """
        canvas = self._canvas()
        if canvas is None:
            return
        code = letter[0] if isinstance(letter[0], int) else letter[0].key()
        handlers = {
            QEvent.Type.KeyPress: canvas.keyPressEvent,
            QEvent.Type.KeyRelease: canvas.keyReleaseEvent,
        }
        for kind, handle in handlers.items():
            text = letter.toString().lower()
            handle(QKeyEvent(kind, code, Qt.KeyboardModifier.NoModifier, text))
        viewer = self.planes.viewer
        if viewer is not None and letter.toString() in _PAINTING and selection_hint(viewer):
            status_line(viewer).say(selection_hint(viewer))

    def _ensure_area(self) -> PlanesArea:
        if self.area is None:
            self.area = PlanesArea(self.planes)
            self.area.hide()
            self.napari_canvas.parentWidget().layout().addWidget(self.area)
            ForwardedDrops(self.area, self.napari_canvas)
            self.area.layout_changed.connect(self.layout_changed)
        return self.area

    def _set_area_visible(self, visible: bool) -> None:
        if self.area is None or visible != self.area.isHidden():
            return
        self.area.setVisible(visible)
        self.napari_canvas.setVisible(not visible)
        viewer = self.planes.viewer
        if viewer is not None:
            status_line(viewer).follow_planes(visible)
        self.focus_images()

    @property
    def napari_canvas(self) -> QtViewer:
        """napari's own canvas with its sliders."""
        canvas = self._canvas()
        assert canvas is not None
        return canvas


_WINDOWS: WeakKeyDictionary[ViewerModel, PlanesWindow] = WeakKeyDictionary()


def planes_window(viewer: ViewerModel) -> PlanesWindow | None:
    """The planes of a viewer's window; None if the viewer has no window."""
    viewer = unproxied(viewer)
    existing = _WINDOWS.get(viewer)
    if existing is not None and isalive(existing):
        return existing
    found = window_and_canvas(viewer)
    if found is None:
        return None
    _WINDOWS[viewer] = window = PlanesWindow(viewer, *found)
    return window


def sliced_axes(viewer: ViewerModel) -> tuple[int, ...]:
    """World axes perpendicular to the slices that are shown; none if only 3D is shown."""
    window = planes_window(viewer)
    layout = Layout.CANVAS if window is None else window.layout
    if layout is Layout.CANVAS:
        first = viewer.dims.ndim - 3
        return tuple(axis - first for axis in viewer.dims.not_displayed if axis >= first)
    return tuple(p.sliced for p in PLANES if layout in (Layout.FOUR, p.name))
