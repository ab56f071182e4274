"""Strokes of napari's brush and eraser in any plane.

napari paints in the plane of its own canvas only. The same voxels are chosen here in another
plane: those whose centre is within the brush around the voxel under the cursor. They are written
with `Labels.data_setitem`, so that undo, nested regions, autosave and the lesion table follow.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from napari.layers import Labels

from napari_smalltumor.layers.editing.canvas_strokes import begin_stroke
from napari_smalltumor.layers.editing.visibility import can_be_seen
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.placement import Placement, placement_of
from napari_smalltumor.planes.plane import Plane, Point

if TYPE_CHECKING:
    from napari.components import ViewerModel

PAINT, ERASE = "paint", "erase"


def layer_to_paint(viewer: ViewerModel) -> Labels | None:
    """The selected labels layer if its brush or eraser is chosen and it may be edited."""
    layer = viewer.layers.selection.active
    if not isinstance(layer, Labels) or layer.mode not in (PAINT, ERASE):
        return None
    if not can_be_seen(layer) or not layer.editable:
        return None
    if placement_of(layer) is None:
        return None
    return layer if layer in active_patient(viewer).layers_in_use else None


def selection_hint(viewer: ViewerModel) -> str:
    """What to select before a brush or eraser can be chosen; empty if a layer has these tools."""
    layer = viewer.layers.selection.active
    if not len(viewer.layers) or (layer is not None and layer._type_string != "image"):
        return ""
    selected = "No single layer" if layer is None else layer.name
    return f"{selected} is selected: select a mask in the layer list to paint in it"


class Stroke:
    """One stroke, which is one step of undo.

    Parameters
    ----------
    layer : Labels
    plane : Plane
        The plane of the brush's disc; all planes if the layer is edited in three dimensions.

    Attributes
    ----------
    layer : Labels
    has_ended : bool
        Whether it must not be continued, as when another patient is active.
    """

    def __init__(self, layer: Labels, plane: Plane) -> None:
        placement = placement_of(layer)
        assert placement is not None
        self.layer, self._placement = layer, placement
        flat = layer.n_edit_dimensions < 3
        self._offsets = brush_offsets(layer.brush_size, placement, plane.sliced if flat else None)
        self._last: npt.NDArray[np.float64] | None = None
        self._undo_step = ExitStack()
        self._undo_step.enter_context(layer.block_history())
        self.has_ended = False
        begin_stroke(layer, self.end)

    def continue_to(self, point: Point) -> None:
        """Paint from the last point to this one."""
        voxel = self._placement.voxel(point)
        start = voxel if self._last is None else self._last
        self._last = voxel
        # Discs at neighbouring voxels leave no gap.
        steps = max(1, int(np.ceil(np.abs(voxel - start).max())))
        along = np.linspace(start, voxel, steps + 1)
        centres = np.unique(np.rint(along).astype(np.int64), axis=0)
        self._paint(np.unique((centres[:, None] + self._offsets).reshape(-1, 3), axis=0))

    def end(self) -> None:
        """End the stroke, and let napari draw the layer again."""
        if not self.has_ended:
            self.has_ended = True
            self._undo_step.close()
            self.layer.refresh()

    def _paint(self, voxels: npt.NDArray[np.int64]) -> None:
        inside = np.all((voxels >= 0) & (voxels < self._placement.shape), axis=1)
        indices = tuple(voxels[inside].T)
        layer = self.layer
        background = layer.colormap.background_value
        erases = layer.mode == ERASE
        if layer.preserve_labels:
            kept = layer.selected_label if erases else background
            replaced = np.asarray(layer.data)[indices] == kept
            indices = tuple(index[replaced] for index in indices)
        layer.data_setitem(indices, background if erases else layer.selected_label)


def brush_offsets(
    brush_size: float, placement: Placement, sliced: int | None
) -> npt.NDArray[np.int64]:
    """Voxels of the brush, relative to the voxel under the cursor.

    Parameters
    ----------
    brush_size : float
        Diameter in voxels of the smallest size along the axes of the brush, as in napari.
    placement : Placement
    sliced : int or None
        Axis along which the brush is one voxel thick; None for a ball.

    Returns
    -------
    (voxel, 3) int array
    """
    axes = [axis for axis in range(3) if axis != sliced]
    relative = np.abs(placement.step) / np.abs(placement.step)[axes].min()
    radius = np.floor(brush_size / 2) + 0.5
    reach = np.where(np.isin(np.arange(3), axes), np.floor(radius / relative), 0).astype(int)
    offsets = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in reach], indexing="ij"), axis=-1)
    offsets = offsets.reshape(-1, 3)
    return offsets[((offsets * relative) ** 2).sum(axis=1) <= radius**2].astype(np.int64)
