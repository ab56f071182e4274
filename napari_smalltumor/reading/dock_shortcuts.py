"""Keys that open the Segment and the Lesions dock; its own keys replace them while it is open.

The key of *Segment* also segments. Those of *Lesions* only open their dock, since its list of
lesions is not filled yet.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_smalltumor import keys
from napari_smalltumor.widgets.dock_keys import DockKeys
from napari_smalltumor.widgets.open_dock import open_dock

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QMainWindow


def bind_dock_shortcuts(main_window: QMainWindow, viewer: Callable[[], Viewer | None]) -> None:
    """Bind the keys in a window, before any dock binds its own.

    Parameters
    ----------
    main_window : QMainWindow
    viewer : callable
        Returns the viewer of the window, which must not be kept alive.
    """
    open_lesions = partial(_open, viewer, "Lesions")
    own = (keys.NEXT, keys.PREVIOUS, keys.TABLE)
    DockKeys(main_window, None, dict.fromkeys(own, open_lesions))
    DockKeys(main_window, None, {keys.SEGMENT: partial(_open_and_segment, viewer)})


def _open_and_segment(viewer: Callable[[], Viewer | None]) -> None:
    dock = _open(viewer, "Segment")
    if dock is not None:
        dock.press_segment()


def _open(viewer: Callable[[], Viewer | None], name: str) -> Any:
    """Open the dock with a name of the manifest; None if the viewer is closed."""
    existing = viewer()
    return open_dock(existing, name) if existing else None
