"""Strokes of a user's brush in a window, with the button of the mouse held down for some time."""

from __future__ import annotations

from random import Random

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QWidget
from window_checks import MAX_WAIT_MS, WindowChecks
from window_input import VIEWING, press

from napari_smalltumor.layers.editing.visibility import can_be_seen
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.main_window.planes_area import Layout
from napari_smalltumor.main_window.planes_window import planes_window

_LEFT = Qt.MouseButton.LeftButton


class StrokeSteps:
    """Steps of a window's user with the brush.

    Parameters
    ----------
    checks : WindowChecks
        Of the window.
    chance : Random
    """

    def __init__(self, checks: WindowChecks, chance: Random) -> None:
        self.checks, self.chance, self.qtbot = checks, chance, checks.qtbot
        self.viewer = checks.viewer

    def paint(self) -> str:
        """Paint or erase with the mouse; work ends, and keys are pressed, during the stroke."""
        layer = self._some_region()
        if layer is None or QApplication.activeModalWidget() or QApplication.activePopupWidget():
            return "drag no brush"
        self.viewer.layers.selection.active = layer
        layer.mode, layer.brush_size = self.chance.choice(["paint", "erase"]), 3
        canvas, before, drawn = self._some_canvas(), self.checks.active, layer.data.copy()
        done = [f"{layer.mode} with the mouse in {layer.name}"]
        self.qtbot.mousePress(canvas, _LEFT, pos=self._place(canvas))
        try:
            for _ in range(self.chance.choice([1, 2, 3])):
                if self.chance.random() < 0.2:
                    sequence = self.chance.choice(VIEWING)
                    done.append(sequence)
                    press(self.qtbot, self.checks.window, sequence)
                    self.checks.note_masks()
                    before = self.checks.active  # the key may have chosen another patient
                self.qtbot.wait(self.chance.choice([0, 20, MAX_WAIT_MS]))
                self.checks.check_shown()
                assert self.checks.active == before, "another patient came under the brush"
                self.qtbot.mouseMove(canvas, self._place(canvas))
        finally:
            self.qtbot.mouseRelease(canvas, _LEFT, pos=self._place(canvas))
        layer.mode = "pan_zoom"
        return f"{', '.join(done)}: {np.count_nonzero(layer.data != drawn)} voxels"

    def _some_region(self) -> Labels | None:
        layers = [x for x in self.viewer.layers if region_of(x) is not None and can_be_seen(x)]
        return self.chance.choice(layers) if layers else None

    def _some_canvas(self) -> QWidget:
        """napari's canvas, or one of the planes if they are shown."""
        window = planes_window(self.viewer)
        if window.layout is Layout.CANVAS:
            return self.viewer.window._qt_viewer.canvas.native
        return self.chance.choice([x for x in window.area.canvases if x.isVisible()])

    def _place(self, canvas: QWidget) -> QPoint:
        """A place in the middle of a canvas, where the patient is."""
        width, height = (round(n * self.chance.uniform(0.35, 0.65)) for n in _size(canvas))
        return QPoint(width, height)


def _size(canvas: QWidget) -> tuple[int, int]:
    return canvas.width(), canvas.height()
