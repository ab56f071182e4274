"""Image layers that show a registration which is not applied, and not their image."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from napari.layers import Layer

_PREVIEWS: WeakSet[Layer] = WeakSet()


def begin_preview(layer: Layer) -> None:
    """Mark a layer whose data is about to be replaced."""
    _PREVIEWS.add(layer)


def end_preview(layer: Layer) -> None:
    """Mark a layer that shows its image again."""
    _PREVIEWS.discard(layer)


def is_preview(layer: Layer) -> bool:
    """Whether a layer shows what must not be segmented as its image."""
    return layer in _PREVIEWS
