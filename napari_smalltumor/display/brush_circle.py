"""The circle of the brush without the dark square that napari draws in its centre.

napari gives every overlay a box in the colour of the canvas. That of the brush appears when a
layer is added, shown or hidden while the brush is chosen. It covers the voxels under the pointer,
and stays where the pointer left the image, also on the image of the next patient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_smalltumor.viewer import one_per_viewer, unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.components.overlays import BrushCircleOverlay


@one_per_viewer
def ensure_open_brush_circle(viewer: ViewerModel) -> BrushCircleOverlay:
    """Remove the box of napari's brush circle.

    Returns
    -------
    BrushCircleOverlay
    """
    circle = unproxied(viewer).canvas.overlays._brush_circle  # napari has no public name for it
    circle.box = False
    return circle
