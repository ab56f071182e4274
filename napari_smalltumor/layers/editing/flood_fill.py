"""Take back a fill that flooded the background.

napari's fill tool replaces everything that is connected to the clicked voxel. Outside a closed
outline that is the whole background of the slice, or of the volume, which an outlined layer does
not even show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_smalltumor import notify
from napari_smalltumor.layers.metadata import role_of
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer


class FloodFillGuard:
    """Undoes fills in the labels layers of a viewer's cases that reach the edge of the image."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._busy = False
        for layer in viewer.layers:
            self._connect(layer)
        viewer.layers.events.inserted.connect(self._on_inserted)

    def _on_inserted(self, event: Any) -> None:
        self._connect(event.value)

    def _connect(self, layer: Layer) -> None:
        if layer._type_string == "labels" and role_of(layer) is not None:
            layer.events.paint.connect(self._on_paint)

    def _on_paint(self, event: Any) -> None:
        layer = event.source
        if self._busy or layer.mode != "fill" or layer.selected_label == 0:
            return
        self._busy = True
        try:
            self._undo_flood(layer)
        finally:
            self._busy = False

    def _undo_flood(self, layer: Labels) -> None:
        after = np.array(layer.data)
        layer.undo()
        if not reaches_edge(after != layer.data):
            layer.redo()
            return
        notify.warn(
            f"Fill undone: it reached the edge of the image. Fill {layer.name} only inside a "
            "closed outline."
        )


def reaches_edge(changed: npt.NDArray[np.bool_]) -> bool:
    """Whether changed voxels reach an edge of the volume along an axis on which they extend.

    A fill in a single slice does not extend along the slice's axis.
    """
    for axis, size in enumerate(changed.shape):
        others = tuple(a for a in range(changed.ndim) if a != axis)
        indices = np.flatnonzero(changed.any(axis=others))
        if len(indices) > 1 and (indices[0] == 0 or indices[-1] == size - 1):
            return True
    return False


@one_per_viewer
def ensure_flood_fill_guard(viewer: ViewerModel) -> FloodFillGuard:
    """Guard the fills in a viewer; further calls return the same object."""
    return FloodFillGuard(viewer)
