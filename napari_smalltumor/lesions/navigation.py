"""Taking the viewer to a lesion: its slice, its centre, and near enough to see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.lesions import Lesion

from napari_smalltumor.lesions.source import LesionSource

if TYPE_CHECKING:
    from napari.components import ViewerModel

SURROUNDINGS = 4.0
"""The shorter side of the canvas shows this many times the lesion's diameter."""

LEAST_SHOWN_MM = 70.0
"""And never less than this, so that anatomy tells where it is."""

_USUAL_CANVAS = (600, 800)


def fly_to(viewer: ViewerModel, source: LesionSource, lesion: Lesion) -> None:
    """Put the lesion's centre in the middle of the canvas, on a slice that cuts the lesion.

    The zoom only grows: a user who is nearer already stays there.
    """
    place = world_centre(source, lesion)
    layer = source.any_layer
    offset = viewer.dims.ndim - layer.ndim
    for axis in viewer.dims.not_displayed:
        if axis >= offset:
            viewer.dims.set_point(axis, place[axis - offset])
    shown = [place[axis - offset] for axis in viewer.dims.displayed if axis >= offset]
    viewer.scene.camera.center = (0.0,) * (3 - len(shown)) + tuple(float(x) for x in shown)
    extent = max(SURROUNDINGS * lesion.diameter_mm, LEAST_SHOWN_MM)
    viewer.scene.camera.zoom = max(viewer.scene.camera.zoom, min(canvas_size(viewer)) / extent)


def world_centre(source: LesionSource, lesion: Lesion) -> npt.NDArray[np.float64]:
    """World coordinates of the lesion's centre, moved to the middle of the nearest voxel.

    Whatever the lesion's shape, each slice through its box cuts it, since it is connected.
    """
    data = np.rint(source.to_data(lesion.centroid_voxel))
    return np.asarray(source.any_layer.data_to_world(data), dtype=np.float64)


def canvas_size(viewer: ViewerModel) -> tuple[int, int]:
    """Height and width of the canvas, in pixels."""
    canvas = getattr(viewer, "canvas", None)
    size = getattr(canvas, "size", None) or getattr(viewer, "_canvas_size", _USUAL_CANVAS)
    return int(size[0]), int(size[1])
