"""Nothing is painted while an earlier scan is shown: a stroke belongs to the present scan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import ref

from napari_smalltumor.patients.status_line import status_line
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_NOT_PAINTING = ("pan_zoom", "transform", "pick")


class NoPainting:
    """Leaves each tool that paints when a layer is shown, and hides the layer for such a tool.

    It works as long as it is referred to.

    Parameters
    ----------
    viewer : ViewerModel
    then : Layer
        The earlier scan.
    leave : callable
        Shows the present scan in the place of `then`.
    """

    def __init__(self, viewer: ViewerModel, then: Layer, leave: Callable[[Layer], None]) -> None:
        self._viewer, self._then, self._leave = ref(unproxied(viewer)), ref(then), leave
        then.events.visible.connect(self._on_visible)
        viewer.layers.events.inserted.connect(self._on_inserted)
        for layer in viewer.layers:
            self._follow(layer)

    def _follow(self, layer: Layer) -> None:
        if layer._type_string == "labels":
            layer.events.mode.connect(self._on_mode)

    def _on_inserted(self, event: Any) -> None:
        self._follow(event.value)
        if _paints(event.value):
            self._show_now()

    def _on_visible(self, event: Any) -> None:
        viewer, then = self._viewer(), self._then()
        if viewer is not None and then is not None and then.visible:
            for layer in viewer.layers:
                if _paints(layer):
                    layer.mode = "pan_zoom"

    def _on_mode(self, event: Any) -> None:
        if _paints(event.source):
            self._show_now()

    def _show_now(self) -> None:
        viewer, then = self._viewer(), self._then()
        if viewer is not None and then is not None and then.visible:
            self._leave(then)
            status_line(viewer).say("The present scan is shown again: edits belong to it")


def _paints(layer: Layer) -> bool:
    return layer._type_string == "labels" and layer.mode not in _NOT_PAINTING
