"""The viewer for which napari calls a reader, a writer or a sample.

napari passes them no viewer, and `current_viewer` is that of the window that was active last: with
two windows, a case that is dropped on one would be opened in the other.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel

_CALLING: ContextVar[ViewerModel | None] = ContextVar("calling_viewer", default=None)


def calling_viewer() -> ViewerModel | None:
    """The viewer that is reading or saving; without one, that of the window that was active last.

    It is the one of `called_by`, or the nearest in the calls that led here, such as that of
    ``viewer.open`` or ``viewer.layers.save``.
    """
    from napari.viewer import current_viewer

    return _CALLING.get() or _in_stack() or current_viewer()


@contextmanager
def called_by(viewer: ViewerModel) -> Iterator[None]:
    """Let `calling_viewer` return a viewer, in a worker too, where no call of it is running."""
    token = _CALLING.set(unproxied(viewer))
    try:
        yield
    finally:
        _CALLING.reset(token)


def _in_stack() -> ViewerModel | None:
    """The viewer of the nearest running method of one, of its layers, or of its Qt widget."""
    from napari.components import LayerList, ViewerModel
    from napari.viewer import Viewer

    frame = inspect.currentframe()
    while frame is not None:
        owner = frame.f_locals.get("self")
        for found in (owner, getattr(owner, "__dict__", {}).get("viewer")):
            if isinstance(found, ViewerModel):
                return unproxied(found)
        if isinstance(owner, LayerList):
            viewer = next((each for each in Viewer._instances if each.layers is owner), None)
            if viewer is not None:
                return viewer
        frame = frame.f_back
    return None
