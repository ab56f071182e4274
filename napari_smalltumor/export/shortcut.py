"""The key that exports the segmentation of the active patient."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

from napari_smalltumor import keys
from napari_smalltumor.export.dialog import export_active
from napari_smalltumor.reading.window import PlanesWindow, planes_window

if TYPE_CHECKING:
    from napari.viewer import Viewer

_NAME = "smalltumor_export"


def ensure_export_key(viewer: Viewer) -> None:
    """Bind the key in the window of a viewer, once; a viewer without a window has no keys."""
    window = planes_window(viewer)
    if window is None or window.main_window.findChild(QShortcut, _NAME) is not None:
        return
    shortcut = QShortcut(QKeySequence(keys.EXPORT.sequence), window.main_window)
    shortcut.setObjectName(_NAME)
    shortcut.activated.connect(partial(_export, window))


def _export(window: PlanesWindow) -> None:
    viewer = window.planes.viewer  # the window must not keep the viewer alive
    if viewer is not None:
        export_active(viewer)
