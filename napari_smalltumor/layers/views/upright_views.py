"""Keep every view of a head upright: napari's view buttons know no anatomy.

*Change order of visible axes* rolls the axes (I, P, L), so that coronal slices lie on their side.
In 3D an order other than (I, P, L) shows another side of the head or a mirror image, and *Home*
looks along the first axis, from below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from napari_smalltumor.layers.coordinates import uses_display_axes
from napari_smalltumor.viewer import one_per_viewer, unproxied, view_from_front

if TYPE_CHECKING:
    from napari.components import ViewerModel

Order = tuple[int, ...]

AXIAL: Order = (0, 1, 2)
SAGITTAL: Order = (2, 0, 1)
CORONAL: Order = (1, 0, 2)

_NEXT = {0: SAGITTAL, 2: CORONAL, 1: AXIAL}
"""The view after a roll, by the axis that was sliced before."""


class UprightViews:
    """Corrects the order of a viewer's axes and its 3D camera while a head is shown.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._order: Order = tuple(viewer.dims.order)
        self._order_in_2d = self._order
        viewer.dims.events.order.connect(self._on_order)
        viewer.dims.events.ndisplay.connect(self._on_ndisplay)
        viewer.scene.camera.events.angles.connect(self._on_angles)
        view_from_front(viewer)

    def _on_order(self, event: Any = None) -> None:
        """Replace the order after a roll; an order that the user sets otherwise stays."""
        viewer = self._viewer()
        if viewer is None:
            return
        before, self._order = self._order, tuple(viewer.dims.order)
        rolled = len(before) == 3 and tuple(np.roll(before, 1)) == self._order
        if rolled and viewer.dims.ndisplay == 2 and uses_display_axes(viewer.layers):
            viewer.dims.order = _NEXT[before[0]]

    def _on_ndisplay(self, event: Any = None) -> None:
        """Use the order (I, P, L) in 3D, and the order of the slices again afterwards."""
        viewer = self._viewer()
        if viewer is None or viewer.dims.ndim != 3 or not uses_display_axes(viewer.layers):
            return
        if viewer.dims.ndisplay == 3:
            self._order_in_2d = tuple(viewer.dims.order)
            viewer.dims.order = AXIAL
        elif len(self._order_in_2d) == 3:
            viewer.dims.order = self._order_in_2d

    def _on_angles(self, event: Any = None) -> None:
        """Show the face when the angles of the camera are reset."""
        viewer = self._viewer()
        if viewer is not None and uses_display_axes(viewer.layers):
            view_from_front(viewer)


def ensure_upright_views(viewer: ViewerModel) -> None:
    """Keep the views of a viewer upright; further calls have no effect."""
    _upright_views(viewer)
    view_from_front(unproxied(viewer))


@one_per_viewer
def _upright_views(viewer: ViewerModel) -> UprightViews:
    return UprightViews(viewer)
