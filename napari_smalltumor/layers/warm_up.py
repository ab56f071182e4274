"""Load in advance, in short steps, what the first layers and the first 3D view import.

For them napari and the planes import pandas, scikit-image's colours and parts of scipy, which takes
up to a second. Loaded one by one, they do not stall the window, and the first result comes sooner.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtpy.QtCore import QObject

_LOADED = ("scipy.linalg", "scipy.ndimage", "scipy.spatial", "skimage.color", "pandas")


def prepare_first_labels(owner: QObject) -> None:
    """Import the modules and create one layer, in short steps while the event loop is idle.

    This does not run in a thread, because the unit registry that layers share is not thread-safe
    while it is set up.

    Parameters
    ----------
    owner : QObject
        Parent of the timer; the steps end when it is deleted.
    """
    from qtpy.QtCore import QTimer

    steps = warm_up_steps()
    timer = QTimer(owner)

    def advance() -> None:
        if next(steps, None) is None:
            timer.stop()
            timer.deleteLater()

    timer.timeout.connect(advance)
    timer.start(0)


def warm_up_steps() -> Iterator[str]:
    """Do each step before its name is yielded; a second time they take no time."""
    for name in _LOADED:
        import_module(name)
        yield name
    _create_labels_layer()
    yield "labels"
    compute_dashes()
    yield "dashes"


@cache
def compute_dashes() -> None:
    """Let vispy compute its patterns of dashes, which takes 0.1 s, once in a process.

    napari needs them for the polygon tool of each labels layer, whether or not it is used.
    """
    from vispy.visuals.line.dash_atlas import DashAtlas

    DashAtlas()


@cache
def _create_labels_layer() -> None:
    import numpy as np
    from napari.layers import Labels

    Labels(np.zeros((1, 1, 1), np.uint8), colormap={None: "yellow", 0: "transparent"})


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Disable garbage collection within the block.

    napari creates about ten thousand objects for a labels layer. They can trigger a full
    collection, which can take longer than creating the layer and blocks the window.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
