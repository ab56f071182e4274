"""Load in advance what napari imports when it creates the first labels layer.

napari imports pandas, scikit-image's colours and scipy's linear algebra then, which takes half a
second. Loading them while the user is idle shortens the wait for the first result.
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

_LOADED_BY_NAPARI = ("scipy.linalg", "skimage.color", "pandas")


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

    steps = _steps()
    timer = QTimer(owner)

    def advance() -> None:
        if next(steps, None) is None:
            timer.stop()
            timer.deleteLater()

    timer.timeout.connect(advance)
    timer.start(0)


def _steps() -> Iterator[str]:
    for name in _LOADED_BY_NAPARI:
        import_module(name)
        yield name
    yield "labels"
    _create_labels_layer()
    yield "dashes"
    compute_dashes()


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
