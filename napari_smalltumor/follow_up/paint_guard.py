"""Nothing is painted while an earlier scan is shown: a stroke belongs to the current scan."""

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


class PaintGuard:
    """Leaves each tool that paints when a layer is shown, and hides the layer for such a tool.

    It works as long as it is referred to.

    Parameters
    ----------
    viewer : ViewerModel
    earlier : Layer
        The earlier scan.
    leave : callable
        Shows the current scan in place of `earlier`.
    """

    def __init__(
        self, viewer: ViewerModel, earlier: Layer, leave: Callable[[ViewerModel, Layer], None]
    ) -> None:
        self._viewer, self._earlier, self._leave = ref(unproxied(viewer)), ref(earlier), leave
        earlier.events.visible.connect(self._on_visible)
        viewer.layers.events.inserted.connect(self._on_inserted)
        for layer in viewer.layers:
            self._follow(layer)

    def _follow(self, layer: Layer) -> None:
        if layer._type_string == "labels":
            layer.events.mode.connect(self._on_mode)

    def _on_inserted(self, event: Any) -> None:
        self._follow(event.value)
        if _paints(event.value):
            self._show_current()

    def _on_visible(self, event: Any) -> None:
        viewer, earlier = self._viewer(), self._earlier()
        if viewer is not None and earlier is not None and earlier.visible:
            for layer in viewer.layers:
                if _paints(layer):
                    layer.mode = "pan_zoom"

    def _on_mode(self, event: Any) -> None:
        if _paints(event.source):
            self._show_current()

    def _show_current(self) -> None:
        viewer, earlier = self._viewer(), self._earlier()
        if viewer is not None and earlier is not None and earlier.visible:
            self._leave(viewer, earlier)
            status_line(viewer).say(
                "The current scan is shown again, because only its regions can be edited"
            )


def _paints(layer: Layer) -> bool:
    return layer._type_string == "labels" and layer.mode not in _NOT_PAINTING
