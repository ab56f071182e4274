"""The toolbar above napari's canvas: layouts, the crosshair, the overlay and the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QActionGroup, QShortcut, QToolBar

from napari_smalltumor import keys, settings
from napari_smalltumor.display.shortcuts import DisplayShortcuts
from napari_smalltumor.main_window.canvas_letters import CanvasLetters
from napari_smalltumor.main_window.planes_area import Layout
from napari_smalltumor.main_window.planes_window import PlanesWindow, planes_window
from napari_smalltumor.main_window.scale_bar import show_scale_bar
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.viewer import Viewer

_STYLE = "QToolButton:checked { background: rgba(90, 120, 240, 140); border-radius: 3px; }"
"""napari's themes do not show which button of a toolbar is checked."""

_TOOLTIPS = {
    Layout.CANVAS: "napari's own canvas, with all its tools",
    Layout.FOUR: keys.with_key("Axial, coronal and sagittal planes, linked, and 3D", keys.LAYOUT),
    Layout.AXIAL: "The axial plane alone",
    Layout.CORONAL: "The coronal plane alone",
    Layout.SAGITTAL: "The sagittal plane alone",
    Layout.SURFACES: "3D alone",
}


class PlanesToolbar(QToolBar):
    """Buttons for each layout, the crosshair, the overlay and the sheet of keys.

    Parameters
    ----------
    viewer : ViewerModel
    window : PlanesWindow
    """

    def __init__(self, viewer: ViewerModel, window: PlanesWindow) -> None:
        super().__init__("Small Tumour: views", window.main_window)
        self.setObjectName("smalltumor_views")
        self.setMovable(False)
        self.setStyleSheet(_STYLE)
        self._window = window
        self.shortcuts = DisplayShortcuts(viewer, window.main_window)
        group = QActionGroup(self)
        self.layout_actions = {}
        for layout in Layout:
            action = self.addAction(str(layout))
            action.setToolTip(_TOOLTIPS[layout])
            action.setCheckable(True)
            group.addAction(action)
            self.layout_actions[layout] = action
            action.triggered.connect(lambda _=False, chosen=layout: window.show(chosen))
        self.addSeparator()
        self.follow_action = self.addAction("Follow cursor")
        self.follow_action.setToolTip(
            keys.with_key("The crosshair follows the cursor", keys.FOLLOW)
        )
        self.follow_action.setShortcut(QKeySequence(keys.FOLLOW.sequence))
        self.follow_action.setCheckable(True)
        self.follow_action.toggled.connect(self._follow)
        self.ruler_action = self.addAction("Ruler")
        self.ruler_action.setToolTip(
            keys.with_key("Measure distances in the planes with the left button", keys.RULER)
        )
        self.ruler_action.setShortcut(QKeySequence(keys.RULER.sequence))
        self.ruler_action.setCheckable(True)
        self.ruler_action.toggled.connect(self._measure)
        self.shortcuts.tool_chosen.connect(lambda: self.ruler_action.setChecked(False))
        QShortcut(QKeySequence(keys.LAYOUT.sequence), window.main_window, window.toggle)
        self.overlay_action = self.addAction("Overlay")
        self.overlay_action.setToolTip(f"Show masks and rings; hold {keys.PEEK.sequence} to peek")
        self.overlay_action.setCheckable(True)
        self.overlay_action.setChecked(True)
        self.overlay_action.toggled.connect(self.shortcuts.set_overlay)
        self.shortcuts.overlay_changed.connect(self.overlay_action.setChecked)
        self.addSeparator()
        self.keys_action = self.addAction("Keys")
        self.keys_action.setToolTip(keys.with_key("All keys and mouse gestures", keys.SHEET))
        self.keys_action.triggered.connect(self.shortcuts.toggle_sheet)
        window.layout_changed.connect(self._show_layout)
        self._show_layout()

    def _follow(self, follows: bool) -> None:
        self._window.planes.follows_cursor = follows

    def _measure(self, is_measuring: bool) -> None:
        """Measure with the left button, which a brush uses otherwise, in the planes."""
        if is_measuring:
            self.shortcuts.drop_tool()
            if self._window.layout in (Layout.CANVAS, Layout.SURFACES):
                self._window.show(Layout.FOUR)
        self._window.planes.is_measuring = is_measuring

    def _show_layout(self) -> None:
        self.layout_actions[self._window.layout].setChecked(True)


def ensure_toolbar(viewer: ViewerModel) -> PlanesToolbar | None:
    """Add the toolbar to the window of a viewer, once; None if the viewer has no window."""
    window = planes_window(viewer)
    if window is None:
        return None
    existing = window.main_window.findChild(PlanesToolbar)
    if existing is not None:
        return existing
    toolbar = PlanesToolbar(unproxied(viewer), window)
    CanvasLetters(unproxied(viewer), window.napari_canvas.canvas.native)
    window.main_window.addToolBar(toolbar)
    _restore_layout(window)
    return toolbar


def _restore_layout(window: PlanesWindow) -> None:
    """Show the layout that was chosen last, and keep the next choices."""
    chosen = Layout(settings.get("views"))
    if chosen is not Layout.CANVAS:
        window.show(chosen)
    window.layout_changed.connect(lambda layout: settings.put("views", layout))


def show_planes(viewer: Viewer) -> None:
    """Change between napari's canvas and the linked planes."""
    ensure_toolbar(viewer)
    show_scale_bar(viewer)
    window = planes_window(viewer)
    if window is not None:
        window.toggle()
