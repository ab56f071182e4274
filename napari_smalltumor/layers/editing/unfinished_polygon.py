"""The polygon that is being drawn on labels, before it is completed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Layer


def drop_unfinished_polygon(layer: Layer) -> None:
    """Remove the vertices that were set with napari's polygon tool, if any.

    napari keeps them while a layer is hidden, and cannot always draw them in another plane.
    """
    overlay = getattr(layer, "_overlays", {}).get("polygon")
    if overlay is not None and overlay.points:
        overlay.points = []
