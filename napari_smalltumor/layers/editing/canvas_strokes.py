"""A stroke ends when its layer can no longer be painted, on napari's canvas and in planes.

napari sends the movements of the mouse, and the release of its button, to the layer that is
selected then. If another layer is selected in the middle of a stroke, as when another patient
becomes active or a result is shown, the stroke never ends: it goes on when the layer is selected
again, though no button is pressed. So it does if a dialog gets the release. If another place is
shown meanwhile, a line would be painted from one place to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakMethod, WeakSet

from napari.utils.interactions import mouse_release_callbacks

from napari_smalltumor.layers.editing.visibility import can_be_seen
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_EVENTS = ("visible", "opacity", "mode")


_ELSEWHERE: WeakKeyDictionary[Layer, WeakMethod[Callable[[], None]]] = WeakKeyDictionary()
"""How the stroke is ended that is drawn on a layer elsewhere than on napari's canvas."""


def end_stroke(layer: Layer) -> None:
    """End what the mouse does to a layer, as if its button had been released."""
    mouse_release_callbacks(layer, SimpleNamespace(type="mouse_release"))
    end = _ELSEWHERE.pop(layer, None)
    if end is not None and (method := end()) is not None:
        method()


def end_strokes(layers: Iterable[Layer]) -> None:
    """End the strokes of those layers that can be painted."""
    for layer in layers:
        if _is_painted(layer):
            end_stroke(layer)


def begin_stroke(layer: Layer, end: Callable[[], None]) -> None:
    """Let a stroke that is drawn in a plane of its own end as those on napari's canvas do.

    Parameters
    ----------
    layer : Labels
    end : method
        Ends the stroke; its object must live as long as the stroke.
    """
    _ELSEWHERE[layer] = WeakMethod(end)


class CanvasStrokes:
    """Ends strokes of the labels layers of a viewer.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._selected: WeakSet[Layer] = WeakSet()
        viewer.layers.selection.events.active.connect(self._on_active)
        viewer.layers.events.inserted.connect(lambda event: self._follow(event.value))
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.mouse_drag_callbacks.append(self._on_drag)
        for moved in (viewer.dims.events.point, viewer.scene.camera.events.center):
            moved.connect(self._on_other_place)
        for layer in viewer.layers:
            self._follow(layer)
        self._remember(viewer.layers.selection.active)

    def _follow(self, layer: Layer) -> None:
        if _is_painted(layer):
            for name in _EVENTS:
                getattr(layer.events, name).connect(self._on_changed)

    def _on_removed(self, event: Any) -> None:
        if _is_painted(event.value):
            for name in _EVENTS:
                getattr(event.value.events, name).disconnect(self._on_changed)
            end_stroke(event.value)

    def _on_active(self, event: Any) -> None:
        for layer in [x for x in self._selected if x is not event.value]:
            end_stroke(layer)
        self._remember(event.value)

    def _on_other_place(self, event: Any) -> None:
        """End the stroke when a key shows another place, to which it would be drawn on."""
        for layer in self._selected:
            end_stroke(layer)

    def _on_drag(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        """End the stroke at the first movement without a button, before the layer is painted."""
        yield
        while event.type == "mouse_move":
            if not _is_button_pressed():
                for layer in self._selected:
                    end_stroke(layer)
            yield

    def _on_changed(self, event: Any) -> None:
        if event.type == "mode" or not can_be_seen(event.source):
            end_stroke(event.source)

    def _remember(self, layer: Layer | None) -> None:
        self._selected.clear()
        if layer is not None and _is_painted(layer):
            self._selected.add(layer)


def _is_button_pressed() -> bool:
    """Whether a button of the mouse is pressed now."""
    from qtpy.QtCore import Qt
    from qtpy.QtGui import QGuiApplication

    return bool(QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton)


def _is_painted(layer: Layer) -> bool:
    return bool(layer._type_string == "labels")


@one_per_viewer
def ensure_canvas_strokes(viewer: ViewerModel) -> CanvasStrokes:
    """End strokes with their layers from now on; further calls return the same object."""
    return CanvasStrokes(viewer)
