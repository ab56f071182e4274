"""The tool of a layer, such as napari's brush, with which the mouse edits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Layer

_NO_TOOL = "pan_zoom"


def has_tool(layer: Layer | None) -> bool:
    """Whether a tool of a layer is chosen, so that the mouse does not move the view."""
    return str(getattr(layer, "mode", _NO_TOOL)) != _NO_TOOL


def put_down_tool(layer: Layer | None) -> None:
    """Let the mouse move the view again instead of using a tool of a layer.

    A layer that is hidden while a tool is chosen would have it again when it is shown.
    """
    if layer is not None and has_tool(layer):
        layer.mode = _NO_TOOL
