"""Keys that open the Segment and the Lesions dock; its own keys replace them while it is open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from napari_smalltumor import keys
from napari_smalltumor.widgets.dock_keys import DockKeys

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QMainWindow

_PLUGIN = "napari-smalltumor"
_KEYS = {"Segment": (keys.SEGMENT,), "Lesions": (keys.NEXT, keys.PREVIOUS, keys.TABLE)}
"""By the name of the dock in the manifest."""


def bind_dock_shortcuts(main_window: QMainWindow, viewer: Callable[[], Viewer | None]) -> None:
    """Bind the keys in a window, before any dock binds its own.

    Parameters
    ----------
    main_window : QMainWindow
    viewer : callable
        Returns the viewer of the window, which must not be kept alive.
    """
    for dock, own in _KEYS.items():
        DockKeys(main_window, None, dict.fromkeys(own, partial(_open, viewer, dock)))


def _open(viewer: Callable[[], Viewer | None], dock: str) -> None:
    existing = viewer()
    if existing is not None:
        existing.window.add_plugin_dock_widget(_PLUGIN, dock)
