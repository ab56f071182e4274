"""Rings around lesions, visible in 2D and 3D and at any zoom.

The rings are a points layer that the user can hide or remove like any other. They are sky blue
with a black outline, so that users with colour blindness can tell them from the regions by their
brightness.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from smalltumor.lesions import Lesion

from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.layers.metadata import LayerKind, LayerRole
from napari_smalltumor.layers.selection import selection_untouched
from napari_smalltumor.layers.views.ring_boxes import RingBoxes, set_ring_boxes
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Points

NAME = "Small lesions"
RING = (0.34, 0.80, 1.0, 1.0)
CURRENT = (1.0, 1.0, 1.0, 1.0)
HALO = (0.0, 0.0, 0.0, 1.0)

MIN_PIXELS = 30.0
"""Smallest diameter of a ring on the screen."""

GAP_PIXELS = 10.0
"""Difference between the diameters of a ring and its lesion on the screen."""

DIAMETER_FACTOR = 1.15
"""Makes the ring larger than the lesion, which need not be centred in its box as the ring is."""

LINE_PIXELS = 2.5
CURRENT_LINE_PIXELS = 4.0
HALO_PIXELS = 1.5

MAX_RINGS = 300
"""More components are noise, and more rings would slow the viewer down."""

ZOOM_STEP = 1.2
"""Line widths are recomputed when the zoom has changed by this factor."""

_NO_VOXELS = np.zeros((0, 3), dtype=int)


class LesionRings:
    """Rings around some lesions of a segmentation in one viewer.

    In a slice view a lesion has a point on every slice that it occupies, so that scrolling needs no
    update; in 3D it has one. The points are replaced when the axes or the dimension change.
    The layer belongs to no patient: it is empty until rings are shown for the active one.

    Parameters
    ----------
    viewer : ViewerModel
    name : str
        Of the layer.
    """

    _boxes: npt.NDArray[np.int_]
    _diameters: npt.NDArray[np.float64]
    _bold: npt.NDArray[np.bool_]
    _candidate: npt.NDArray[np.int_]

    def __init__(self, viewer: ViewerModel, name: str = NAME) -> None:
        self._viewer, self._name = viewer, name
        self.layer: Points | None = None
        self._forget_points()
        self._zoom = 0.0
        events = viewer.dims.events
        self._view_events = (events.ndisplay, events.order)
        self._is_open = False
        self.open()

    def open(self) -> None:
        """Follow the viewer's axes and zoom; does nothing if they are followed."""
        if self._is_open:
            return
        self._is_open = True
        for signal in self._view_events:
            signal.connect(self._draw)
        self._viewer.scene.camera.events.zoom.connect(self._on_zoom)

    def close(self) -> None:
        """Remove the rings and disconnect from the viewer's events; may be called twice."""
        self._is_open = False
        for signal in self._view_events:
            signal.disconnect(self._draw)
        self._viewer.scene.camera.events.zoom.disconnect(self._on_zoom)
        self.hide()

    def hide(self) -> None:
        """Remove the rings and their layer."""
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def hide_with_masks(self) -> None:
        """Erase the rings of masks that are removed, and remove the layer when that has ended.

        napari removes the selected layers one after the other, and raises an error for one that is
        gone before its turn.
        """
        self.erase()
        when_idle(self._hide_if_erased)

    def _hide_if_erased(self) -> None:
        if not len(self._boxes):
            self.hide()

    def erase(self) -> None:
        """Remove the rings, but keep the layer: napari collects garbage when it removes one."""
        self._forget_points()
        if self.layer is None:
            return
        set_ring_boxes(self.layer, None)
        if len(self.layer.data):  # napari would update the canvas and the sliders all the same
            self.layer.selected_data = set()
            self.layer.data = np.zeros((0, 3))

    def show(
        self,
        source: ViewerSegmentation,
        lesions: Sequence[Lesion],
        current: Lesion | None = None,
        candidate: Lesion | None = None,
    ) -> None:
        """Draw rings around these lesions; the ring of the current one is bolder.

        Parameters
        ----------
        source : ViewerSegmentation
            The segmentation of the lesions.
        lesions : sequence of Lesion
            The first `MAX_RINGS` are ringed.
        current : Lesion, optional
        candidate : Lesion, optional
            The current one, if it is not in the mask: the planes draw its outline.
        """
        lesions = lesions[:MAX_RINGS]
        if not lesions:
            self.erase()
            return
        self.show_boxes(
            source,
            source.boxes_in_data(lesions),
            np.array([lesion.diameter_mm for lesion in lesions]),
            np.array([lesion is current for lesion in lesions]),
            _NO_VOXELS if candidate is None else source.voxels_in_data(candidate),
        )

    def show_boxes(
        self,
        source: ViewerSegmentation,
        boxes: npt.NDArray[np.int_],
        diameters: npt.NDArray[np.float64],
        bold: npt.NDArray[np.bool_],
        candidate: npt.NDArray[np.int_] = _NO_VOXELS,
    ) -> None:
        """Draw a ring around each box.

        Parameters
        ----------
        source : ViewerSegmentation
            The segmentation to whose layers the boxes refer.
        boxes : (ring, 3, 2) int array
            First voxel and stop along each axis of the layers.
        diameters : (ring,) float array
            Of what is ringed, mm.
        bold : (ring,) bool array
        candidate : (n, 3) int array
            Voxels of the layers whose outline the planes draw.
        """
        wanted = (boxes, diameters, bold, candidate)
        exists = self.layer is not None and self.layer in self._viewer.layers
        drawn = (self._boxes, self._diameters, self._bold, self._candidate)
        same = exists and all(map(np.array_equal, wanted, drawn))
        self._boxes, self._diameters, self._bold, self._candidate = wanted
        if not exists:
            self.layer = self._add(source)
        self._align(source)
        if not same:
            self._draw()

    def _add(self, source: ViewerSegmentation) -> Points:
        """Add an empty points layer, and keep the selection of layers."""
        mask_layer = source.any_layer
        with selection_untouched(self._viewer):
            layer = self._viewer.add_points(
                np.zeros((0, 3)),
                name=self._name,
                ndim=3,
                symbol="disc",
                face_color="transparent",
                blending="translucent_no_depth",
                units=mask_layer.units,
                axis_labels=mask_layer.axis_labels,
                scale=mask_layer.scale,
                translate=mask_layer.translate,
                metadata=LayerRole(LayerKind.RINGS).metadata(),
            )
        layer.editable = False
        layer.events.visible.connect(self._draw)
        return layer

    def _forget_points(self) -> None:
        self._boxes = np.zeros((0, 3, 2), dtype=int)
        self._diameters = np.zeros(0)
        self._bold = np.zeros(0, dtype=bool)
        self._candidate = _NO_VOXELS
        self._point_diameters = np.zeros(0)
        self._point_lines = np.zeros(0)

    def _align(self, source: ViewerSegmentation) -> None:
        """Give the rings the transform of the segmentation, and move them to the top."""
        assert self.layer is not None
        mask_layer = source.any_layer
        for name in ("scale", "translate", "rotate", "shear", "affine"):
            if not np.array_equal(getattr(self.layer, name), getattr(mask_layer, name)):
                setattr(self.layer, name, getattr(mask_layer, name))
        for name in ("units", "axis_labels"):
            if getattr(self.layer, name) != getattr(mask_layer, name):
                setattr(self.layer, name, getattr(mask_layer, name))
        layers = self._viewer.layers
        if layers[-1] is not self.layer:
            layers.move(layers.index(self.layer), len(layers))

    def _draw(self, event: Any = None) -> None:
        """Draw every ring as two points: a black one, and a coloured one on top of it.

        Points of a hidden layer are drawn when it is shown.
        """
        if self.layer is None or not len(self._boxes):
            return
        diameters = DIAMETER_FACTOR * self._diameters
        set_ring_boxes(self.layer, RingBoxes(self._boxes, diameters, self._bold, self._candidate))
        if not self.layer.visible:  # napari would look for the points of its last slice
            return
        points, lesion = _ring_centres(self._boxes, self._sliced_axis())
        self._point_diameters = diameters[lesion]
        self._point_lines = np.where(self._bold, CURRENT_LINE_PIXELS, LINE_PIXELS)[lesion]
        colours = np.where(self._bold[:, None], CURRENT, RING)[lesion]
        black = np.broadcast_to(HALO, colours.shape)
        # Without the block, the canvas and the layer list would be updated eight times.
        with self.layer.events.blocker_all():
            self.layer.selected_data = set()
            self.layer.data = np.tile(points, (2, 1))
            self.layer.face_color = np.zeros((2 * len(points), 4))
            self.layer.border_color = np.concatenate([black, colours])
            self._fit_to_zoom()
        self.layer.refresh()

    def _sliced_axis(self) -> int | None:
        """The axis of the lesions' boxes that is sliced, or None in 3D."""
        dims = self._viewer.dims
        sliced = [axis - (dims.ndim - 3) for axis in dims.not_displayed]
        return next((axis for axis in sliced if axis >= 0), None)

    def _on_zoom(self, event: Any = None) -> None:
        """Keep line widths and the smallest ring size constant on the screen."""
        zoom = max(float(self._viewer.scene.camera.zoom), 1e-6)
        if self.layer is None or not len(self._boxes) or not self.layer.visible:
            return
        if self._zoom / ZOOM_STEP < zoom < self._zoom * ZOOM_STEP:
            return
        with self.layer.events.blocker_all():
            self._fit_to_zoom()
        self.layer.refresh()

    def _fit_to_zoom(self) -> None:
        assert self.layer is not None
        zoom = self._zoom = max(float(self._viewer.scene.camera.zoom), 1e-6)
        pixels = np.maximum(MIN_PIXELS, self._point_diameters * zoom + GAP_PIXELS)
        halo_pixels = pixels + 2 * HALO_PIXELS
        pixels_per_voxel = zoom * abs(float(self.layer.scale[-1]))
        relative_widths = [
            (self._point_lines + 2 * HALO_PIXELS) / halo_pixels,
            self._point_lines / pixels,
        ]
        self.layer.size = np.concatenate([halo_pixels, pixels]) / pixels_per_voxel
        self.layer.border_width = np.concatenate(relative_widths)


def _ring_centres(
    boxes: npt.NDArray[np.int_], sliced_axis: int | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int_]]:
    """Centres of the rings around lesions, on every slice that a lesion occupies.

    Parameters
    ----------
    boxes : (lesion, 3, 2) int array
        First voxel and stop along each axis.
    sliced_axis : int or None
        None for one ring a lesion, at the centre of its box.

    Returns
    -------
    centres : (ring, 3) float array
    lesion : (ring,) int array
        Index of each ring's lesion.
    """
    centres = (boxes[:, :, 0] + boxes[:, :, 1] - 1) / 2
    if sliced_axis is None:
        return centres, np.arange(len(boxes))
    spans = boxes[:, sliced_axis]
    lesion = np.repeat(np.arange(len(boxes)), spans[:, 1] - spans[:, 0])
    points = centres[lesion]
    points[:, sliced_axis] = np.concatenate([np.arange(first, stop) for first, stop in spans])
    return points, lesion
