"""Layers of the patients that are not active: hidden, and protected from edits and removal.

napari itself does not paint on a hidden layer. It would delete it, however, if it is selected. So a
hidden layer is locked, which prevents deletion and conversion. `layers.visibility` guards its undo
keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from napari.layers import Layer


@dataclass
class _Before:
    """State of a layer to be restored when its patient is active."""

    visible: bool
    locked: Any


class HiddenLayers:
    """The hidden layers of a viewer's patients that are not active."""

    def __init__(self) -> None:
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

    def release(self, layer: Layer) -> None:
        """Unlock a layer, and give it back the visibility that it had before it was hidden."""
        before = self._before.pop(layer, None)
        if before is None:
            return
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
