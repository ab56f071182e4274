"""Keys that open the Segment and the Lesions dock; its own keys replace them while it is open.

The key of *Segment* also segments. Those of *Lesions* only open their dock, which then says what
the key does: its list of lesions is not filled yet, and none is selected.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_smalltumor import keys
from napari_smalltumor.widgets.docks.dock_keys import DockKeys
from napari_smalltumor.widgets.docks.open_dock import open_dock

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QMainWindow


_OPENING = (keys.NEXT, keys.PREVIOUS, keys.TABLE)
_ACTING = (keys.ACCEPT, keys.DELETE, keys.UNDO, keys.FOLD, keys.DELETE_SPECKS, keys.REGION)


def bind_dock_shortcuts(main_window: QMainWindow, viewer: Callable[[], Viewer | None]) -> None:
    """Bind the keys in a window, before any dock binds its own.

    Parameters
    ----------
    main_window : QMainWindow
    viewer : callable
        Returns the viewer of the window, which must not be kept alive.
    """
    opening = {key: partial(_open, viewer, "Lesions") for key in _OPENING}
    acting = {key: partial(_open_and_say, viewer, key) for key in _ACTING}
    DockKeys(main_window, None, {**opening, **acting})
    DockKeys(main_window, None, {keys.SEGMENT: partial(_open_and_segment, viewer)})


def _open_and_say(viewer: Callable[[], Viewer | None], key: keys.Key) -> None:
    """Open the Lesions dock, and say what the key does there."""
    dock = _open(viewer, "Lesions")
    if dock is not None:
        dock.show_message(f"{key.sequence} did nothing, because this dock was closed: {key.action}")


def _open_and_segment(viewer: Callable[[], Viewer | None]) -> None:
    dock = _open(viewer, "Segment")
    if dock is not None:
        dock.press_segment()


def _open(viewer: Callable[[], Viewer | None], name: str) -> Any:
    """Open the dock with a name of the manifest; None if the viewer is closed."""
    existing = viewer()
    return open_dock(existing, name) if existing else None
