"""Layers of the patients that are not active: hidden, and protected from edits and removal.

napari itself does not paint on a hidden layer. It would undo strokes in it and delete it, however,
if it is selected. So a hidden layer is locked, which prevents deletion and conversion, and its undo
keys are bound to a message.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from napari.layers import Layer

_EDITING_KEYS = ("Control-Z", "Control-Shift-Z")


@dataclass
class _Before:
    """State of a layer to be restored when its patient is active."""

    visible: bool
    locked: Any


class HiddenLayers:
    """The hidden layers of a viewer's patients that are not active.

    Parameters
    ----------
    refuse : callable
        Called with a hidden layer that the user tries to edit.
    """

    def __init__(self, refuse: Callable[[Layer], None]) -> None:
        self._refuse = refuse
        self._before: WeakKeyDictionary[Layer, _Before] = WeakKeyDictionary()

    def __contains__(self, layer: Layer) -> bool:
        return layer in self._before

    def hide(self, layer: Layer) -> None:
        """Hide and protect a layer, and remember whether it was visible."""
        if layer in self._before:
            return
        self._before[layer] = _Before(layer.visible, layer.locked)
        if layer.visible:  # setting it again would draw the window again
            layer.visible = False
        layer.locked = True
        for key in _keys_of(layer):
            layer.bind_key(key, lambda hidden: self._refuse(hidden), overwrite=True)

    def release(self, layer: Layer) -> None:
        """Unlock a layer, and give it back the visibility that it had before it was hidden."""
        before = self._before.pop(layer, None)
        if before is None:
            return
        for key in _keys_of(layer):
            layer.bind_key(key, None)
        layer.locked = before.locked
        if layer.visible != before.visible:
            layer.visible = before.visible

    def is_visible_later(self, layer: Layer) -> bool:
        """Whether a layer is visible when its patient is active."""
        before = self._before.get(layer)
        return bool(layer.visible if before is None else before.visible)

    def set_visible_later(self, layer: Layer, visible: bool) -> None:
        """Set whether a layer is visible when its patient is active; it stays hidden now."""
        self._before[layer].visible = visible
        if layer.visible:
            layer.visible = False


def _keys_of(layer: Layer) -> tuple[str, ...]:
    """The keys that change the data of a layer even if it is hidden."""
    return _EDITING_KEYS if layer._type_string == "labels" else ()
