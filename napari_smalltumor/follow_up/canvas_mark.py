"""Words on napari's canvas while an earlier scan is shown, which looks like the current one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class CanvasMark:
    """Shows words on napari's canvas while a layer is visible.

    Parameters
    ----------
    viewer : ViewerModel
    layer : Layer
        It must not be in the viewer yet.
    words : str
    """

    def __init__(self, viewer: ViewerModel, layer: Layer, words: str) -> None:
        self._viewer, self._layer, self._words = ref(viewer), ref(layer), words
        layer.events.visible.connect(self._update)
        viewer.layers.events.inserted.connect(self._update)
        viewer.layers.events.removed.connect(self._update)

    def _update(self, event: Any = None) -> None:
        viewer, layer = self._viewer(), self._layer()
        if viewer is None:
            return
        overlay = viewer.canvas.overlays.text
        if layer is not None and layer.visible and layer in viewer.layers:
            overlay.text, overlay.position, overlay.visible = self._words, "top_left", True
        elif overlay.text == self._words:
            overlay.text, overlay.visible = "", False
