"""Move napari's canvas and the planes to a lesion: slice, centre and zoom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from smalltumor.lesions import Lesion, Point

from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation
from napari_smalltumor.main_window.planes_window import sliced_axes
from napari_smalltumor.planes.linked_planes import linked_planes

if TYPE_CHECKING:
    from napari.components import ViewerModel

EXTENT_IN_DIAMETERS = 4.0
"""The shorter side of the canvas shows this many diameters of the lesion."""

MINIMUM_EXTENT_MM = 70.0
"""The shorter side of the canvas shows at least this much, so that the anatomy is visible."""

_DEFAULT_CANVAS = (600, 800)


def move_to(viewer: ViewerModel, source: ViewerSegmentation, lesion: Lesion) -> None:
    """Centre the canvas and the planes on a lesion, on slices that cut it.

    The zoom is only increased: a user who has zoomed in further keeps the zoom.
    """
    move_to_voxel(viewer, source, lesion.centroid_voxel, lesion.diameter_mm)


def move_to_voxel(
    viewer: ViewerModel, source: ViewerSegmentation, voxel: Point, diameter_mm: float
) -> None:
    """Centre the canvas and the planes on a voxel, as `move_to` does on a lesion there.

    Parameters
    ----------
    viewer : ViewerModel
    source : ViewerSegmentation
    voxel : (float, float, float)
        Indices on the grid of the case.
    diameter_mm : float
        Of what is there.
    """
    centre = world_centre(source, voxel)
    layer = source.any_layer
    offset = viewer.dims.ndim - layer.ndim
    extent = max(EXTENT_IN_DIAMETERS * diameter_mm, MINIMUM_EXTENT_MM)
    linked_planes(viewer).look_at((centre[0], centre[1], centre[2]), extent)
    shown = [centre[axis - offset] for axis in viewer.dims.displayed if axis >= offset]
    viewer.scene.camera.center = (0.0,) * (3 - len(shown)) + tuple(float(x) for x in shown)
    viewer.scene.camera.zoom = max(viewer.scene.camera.zoom, min(canvas_size(viewer)) / extent)


def world_centre(source: ViewerSegmentation, voxel: Point) -> npt.NDArray[np.float64]:
    """World coordinates of the centre of the voxel nearest to a place, such as a lesion's centre.

    A lesion is connected, so each slice through its bounding box cuts it, whatever its shape.
    """
    nearest = np.rint(source.to_data(voxel))
    return np.asarray(source.any_layer.data_to_world(nearest), dtype=np.float64)


def is_shown(viewer: ViewerModel, source: ViewerSegmentation, lesion: Lesion) -> bool:
    """Whether one of the slices that are shown cuts the bounding box of a lesion; in 3D, always."""
    axes = sliced_axes(viewer)
    if not axes:
        return True
    corners = np.array(np.meshgrid(*((start, stop - 1) for start, stop in lesion.bbox)))
    voxels = source.to_data(corners.reshape(3, -1).T)
    layer = source.any_layer
    centres = np.array([layer.data_to_world(np.rint(voxel)) for voxel in voxels])[:, -3:]
    half = np.abs(np.asarray(layer.scale)[-3:]) / 2
    low, high = centres.min(axis=0) - half, centres.max(axis=0) + half
    position = linked_planes(viewer).position
    return any(low[axis] <= position[axis] <= high[axis] for axis in axes)


def canvas_size(viewer: ViewerModel) -> tuple[int, int]:
    """Height and width of the canvas, in pixels."""
    canvas = getattr(viewer, "canvas", None)
    size: Any = getattr(canvas, "size", None) or getattr(viewer, "_canvas_size", _DEFAULT_CANVAS)
    return int(size[0]), int(size[1])
