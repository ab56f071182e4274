"""The layers that the planes show: the visible ones of the active patient, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
import numpy.typing as npt
from psygnal import Signal
from smalltumor.geometry.boxes import bounding_box

from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.placement import Placement, placement_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_STRIDE = 3
"""The background is looked for in every third voxel along each axis."""

_PIXEL_EVENTS = (
    "data",
    "set_data",
    "labels_update",
    "paint",
    "contrast_limits",
    "gamma",
    "colormap",
    "contour",
    "show_selected_label",
    "selected_label",
)
_PLACE_EVENTS = ("scale", "translate", "rotate", "shear", "affine", "data")
_OTHER_EVENTS = ("visible", "opacity", "blending", "interpolation2d")
_TOOL_EVENTS = ("mode", "brush_size")


class ShownLayers:
    """Image and labels layers that planes show, with a version that counts their changes.

    The planes read the layers of napari's own list. No layer is copied, so all views show the same
    voxels, and undo and hidden layers are the same everywhere. In addition, a layer of another
    than the active patient is never shown, even if it is visible.

    Parameters
    ----------
    viewer : ViewerModel
    """

    changed = Signal()
    """Layers or their appearance changed: draw again."""
    voxels_changed = Signal()
    """Masks may have been edited, or layers added, removed, shown or hidden.

    napari reports an edit and another slice of its canvas by the same event.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._layers = viewer.layers
        self._patients = active_patient(viewer)
        self._versions: WeakKeyDictionary[Layer, int] = WeakKeyDictionary()
        self._placements: WeakKeyDictionary[Layer, Placement | None] = WeakKeyDictionary()
        self._contents: WeakKeyDictionary[Layer, npt.NDArray[np.float64] | None]
        self._contents = WeakKeyDictionary()
        self._layers.events.inserted.connect(self._on_inserted, position="last")
        self._layers.events.removed.connect(self._on_removed, position="last")
        self._layers.events.reordered.connect(self._on_other)
        self._patients.changed.connect(self._on_other)
        for layer in self._layers:
            self._connect(layer)

    def of_type(self, kind: str) -> list[Layer]:
        """The shown layers of a type, such as ``image`` or ``points``, from bottom to top."""
        return [x for x in self._patients.layers_in_use if x.visible and x._type_string == kind]

    @property
    def drawn(self) -> list[Layer]:
        """The images and labels of which a plane shows slices, from bottom to top."""
        return [x for x in self._with_slices() if x.visible and self.placement(x)]

    def version(self, layer: Layer) -> int:
        """Number of changes of a layer's pixels."""
        return self._versions.get(layer, 0)

    def placement(self, layer: Layer) -> Placement | None:
        """Where the layer's voxels are; None if planes cannot show it."""
        if layer not in self._placements:
            self._placements[layer] = placement_of(layer)
        return self._placements[layer]

    @property
    def bounds(self) -> npt.NDArray[np.float64] | None:
        """Lowest and highest world coordinates (2, 3) of the patient's images and labels.

        Hidden layers of the active patient count, so that the bounds stay when they are hidden.
        """
        return _around([p.ends for x in self._with_slices() if (p := self.placement(x))])

    @property
    def content(self) -> npt.NDArray[np.float64] | None:
        """Lowest and highest world coordinates (2, 3) of the head, without background."""
        images = [x for x in self._with_slices() if x._type_string == "image"]
        found = [box for x in images if (box := self._content_of(x)) is not None]
        return _around(found) if found else self.bounds

    def _with_slices(self) -> list[Layer]:
        return [x for x in self._patients.layers_in_use if _has_slices(x)]

    def _content_of(self, layer: Layer) -> npt.NDArray[np.float64] | None:
        if layer not in self._contents:
            placement = self.placement(layer)
            box = foreground_box(layer.data) if placement is not None else None
            if placement is None or box is None:
                self._contents[layer] = None
            else:
                self._contents[layer] = placement.first + placement.step * box
        return self._contents[layer]

    def _on_inserted(self, event: Any) -> None:
        self._connect(event.value)
        self._on_other()

    def _on_removed(self, event: Any) -> None:
        for names, callback in self._connections():
            for name in names:
                if hasattr(event.value.events, name):
                    getattr(event.value.events, name).disconnect(callback)
        self._on_other()

    def _connect(self, layer: Layer) -> None:
        for names, callback in self._connections():
            for name in names:
                if hasattr(layer.events, name):
                    getattr(layer.events, name).connect(callback)

    def _connections(self) -> tuple[tuple[tuple[str, ...], Any], ...]:
        return (
            (_PLACE_EVENTS, self._on_place),
            (_PIXEL_EVENTS, self._on_pixels),
            (_OTHER_EVENTS, self._on_other),
            (_TOOL_EVENTS, self._on_tool),
        )

    def _on_place(self, event: Any) -> None:
        self._placements.pop(event.source, None)
        self._contents.pop(event.source, None)
        self.changed.emit()

    def _on_pixels(self, event: Any) -> None:
        self._versions[event.source] = self.version(event.source) + 1
        self.changed.emit()
        if event.type in ("data", "set_data", "labels_update", "paint"):
            self.voxels_changed.emit()

    def _on_tool(self, event: Any) -> None:
        self.changed.emit()  # the circle of the brush

    def _on_other(self, event: Any = None) -> None:
        self.changed.emit()
        self.voxels_changed.emit()


def _has_slices(layer: Layer) -> bool:
    if layer._type_string == "image":
        return layer.ndim == 3 and not layer.rgb and not layer.multiscale
    return layer._type_string == "labels" and layer.ndim == 3 and not layer.multiscale


def foreground_box(data: npt.ArrayLike) -> npt.NDArray[np.int_] | None:
    """First and last voxel (2, 3) that are not background, to within a few voxels.

    The background has the value of the first voxel. None if the volume is nothing else.
    """
    thinned = np.asarray(data[::_STRIDE, ::_STRIDE, ::_STRIDE])  # type: ignore[index, call-overload]
    found = thinned != thinned[0, 0, 0]
    if not found.any():
        return None
    return (
        np.array([[part.start, part.stop - 1] for part in bounding_box(found)], dtype=int).T
        * _STRIDE
    )


def _around(boxes: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64] | None:
    """Lowest and highest coordinates (2, 3) of some points (..., 3)."""
    if not boxes:
        return None
    points = np.concatenate(boxes)
    return np.array([points.min(axis=0), points.max(axis=0)])
