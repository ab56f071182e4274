"""Nothing that cannot be seen may be changed: also not by napari's own undo keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Labels, Layer

_UNDO_KEYS = {"Control-Z": "undo", "Control-Shift-Z": "redo"}


def can_be_seen(layer: Layer) -> bool:
    """Whether a layer is shown and not transparent."""
    return bool(layer.visible and layer.opacity)


def guard_undo(layer: Layer, refuse: Callable[[Labels], None]) -> None:
    """Let the undo and redo keys of a labels layer call `refuse` while it cannot be seen.

    napari undoes and redoes strokes in a selected layer even if it is hidden.
    """
    if layer._type_string == "labels":
        for key, name in _UNDO_KEYS.items():
            layer.bind_key(key, _if_seen(name, refuse), overwrite=True)


def release_undo(layer: Layer) -> None:
    """Give the undo and redo keys of a layer back to napari."""
    if layer._type_string == "labels":
        for key in _UNDO_KEYS:
            layer.bind_key(key, None)


def _if_seen(name: str, refuse: Callable[[Labels], None]) -> Callable[[Labels], None]:
    def call(layer: Labels) -> None:
        if can_be_seen(layer):
            getattr(layer, name)()
        else:
            refuse(layer)

    return call
