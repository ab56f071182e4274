"""The first labels layer of a program costs half a second of imports; paid before it is waited for.

napari loads pandas, scikit-image's colours and scipy's linear algebra when the first one is made.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Thread


@cache
def prepare_first_labels() -> Thread:
    """Make a layer that nobody sees, once, in a thread of its own."""
    thread = Thread(target=_make_one, name="first labels layer", daemon=True)
    thread.start()
    return thread


def _make_one() -> None:
    import numpy as np
    from napari.layers import Labels

    Labels(np.zeros((1, 1, 1), np.uint8), colormap={None: "yellow", 0: "transparent"})


@contextmanager
def no_collection() -> Iterator[None]:
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
