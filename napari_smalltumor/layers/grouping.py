"""Show files that are opened one by one as a case that is opened at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from napari_smalltumor.layers.create import SHOWN_FIRST
from napari_smalltumor.layers.metadata import case_of, role_of, same_patient
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import LayerList, ViewerModel
    from napari.layers import Layer

_GROUPED: WeakSet[ViewerModel] = WeakSet()


def group_opened_files(viewer: ViewerModel) -> None:
    """Group the files opened in a viewer from now on; a second call does nothing."""
    own = unproxied(viewer)
    if own not in _GROUPED:
        _GROUPED.add(own)
        # Last, so that the layer list of the window knows the layer before it is moved.
        own.layers.events.inserted.connect(_on_inserted, position="last")


def _on_inserted(event: Any) -> None:
    layer = event.value
    case = case_of(layer)
    if case is not None and len(case.volumes) == 1 and _modality(layer) is not None:
        _join(event.source, layer)


def _join(layers: LayerList, layer: Layer) -> None:
    """Show one image, T1CE if there is one, and keep labels above the images."""
    case = case_of(layer)
    others = [o for o in layers if o is not layer and same_patient(case_of(o), case)]
    images = [other for other in others if _modality(other) is not None]
    if any(_modality(image) == _modality(layer) for image in images):
        return
    shown = [image for image in images if image.visible]
    if _modality(layer) == SHOWN_FIRST:
        for image in shown:
            image.visible = False
    elif shown:
        layer.visible = False
    here = layers.index(layer)
    covered = [layers.index(o) for o in others if o not in images and layers.index(o) < here]
    if covered:
        layers.move(here, min(covered))


def _modality(layer: Layer) -> str | None:
    role = role_of(layer)
    return role.modality if role is not None else None
