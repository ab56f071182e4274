"""Show files of a case that are opened one by one like a case that is opened as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from napari_smalltumor.layers.create import SHOWN_FIRST
from napari_smalltumor.layers.metadata import case_of, role_of
from napari_smalltumor.layers.patient import same_patient
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import LayerList, ViewerModel
    from napari.layers import Layer

_GROUPED: WeakSet[ViewerModel] = WeakSet()


def group_opened_files(viewer: ViewerModel) -> None:
    """Group files that are opened in a viewer from now on; further calls have no effect."""
    viewer = unproxied(viewer)
    if viewer not in _GROUPED:
        _GROUPED.add(viewer)
        # Last, because the window's layer list must know the layer before it is moved.
        viewer.layers.events.inserted.connect(_on_inserted, position="last")


def _on_inserted(event: Any) -> None:
    layer = event.value
    case = case_of(layer)
    if case is not None and len(case.volumes) == 1 and _modality(layer) is not None:
        _add_to_group(event.source, layer)


def _add_to_group(layers: LayerList, layer: Layer) -> None:
    """Show only one image, T1CE if there is one, and move the image below the case's labels."""
    others = [o for o in layers if o is not layer and same_patient(o, layer)]
    images = [other for other in others if _modality(other) is not None]
    if any(_modality(image) == _modality(layer) for image in images):
        return
    shown = [image for image in images if image.visible]
    if _modality(layer) == SHOWN_FIRST:
        for image in shown:
            image.visible = False
    elif shown:
        layer.visible = False
    index = layers.index(layer)
    covered = [layers.index(o) for o in others if o not in images and layers.index(o) < index]
    if covered:
        layers.move(index, min(covered))


def _modality(layer: Layer) -> str | None:
    role = role_of(layer)
    return role.modality if role is not None else None
