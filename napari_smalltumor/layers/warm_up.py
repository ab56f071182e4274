"""The first labels layer of a program costs half a second of imports; paid before it is waited for.

napari loads pandas, scikit-image's colours and scipy's linear algebra when the first one is made.
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
    """Make a layer that nobody sees, in small steps when the window has nothing else to do.

    Not in a thread: the registry of units that layers share is not safe to be set up in two.

    Parameters
    ----------
    owner : QObject
        Who is gone when the steps should end.
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
    _make_one()


@cache
def _make_one() -> None:
    import numpy as np
    from napari.layers import Labels

    Labels(np.zeros((1, 1, 1), np.uint8), colormap={None: "yellow", 0: "transparent"})


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Put the garbage collector off for a moment that the window is waiting in.

    napari makes some ten thousand objects for a labels layer, enough to set off a full
    collection in the middle, which can take longer than the rest.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
