"""Show files of a case that are opened one by one like a case that is opened as a whole."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from napari_smalltumor.layers.create import SHOWN_FIRST
from napari_smalltumor.layers.metadata import case_of, role_of
from napari_smalltumor.layers.patient import are_of_one_patient
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
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
        on_inserted = partial(_on_inserted, active_patient(viewer))
        viewer.layers.events.inserted.connect(on_inserted, position="last")


def _on_inserted(patients: ActivePatient, event: Any) -> None:
    layer, layers = event.value, event.source
    case = case_of(layer)
    if case is None:
        return
    others = [o for o in layers if o is not layer and are_of_one_patient(o, layer)]
    if len(case.volumes) == 1 and _modality(layer) is not None:
        _add_image(patients, layers, layer, others)
    if _is_region_from_file(layer):
        for other in others:
            if _holds_classes(other):
                patients.set_shown(other, False)


def _add_image(
    patients: ActivePatient, layers: LayerList, layer: Layer, others: list[Layer]
) -> None:
    """Show only one image, T1CE if there is one, and move the image below the case's labels."""
    images = [other for other in others if _modality(other) is not None]
    if any(_modality(image) == _modality(layer) for image in images):
        return
    shown = [image for image in images if patients.is_shown(image)]
    if _modality(layer) == SHOWN_FIRST:
        for image in shown:
            patients.set_shown(image, False)
    elif shown:
        patients.set_shown(layer, False)
    index = layers.index(layer)
    covered = [layers.index(o) for o in others if o not in images and layers.index(o) < index]
    if covered:
        layers.move(index, min(covered))


def _is_region_from_file(layer: Layer) -> bool:
    role = role_of(layer)
    return role is not None and role.region is not None and role.checksum is None


def _holds_classes(layer: Layer) -> bool:
    """Whether a layer holds tissue classes, which regions of the same patient cover."""
    role = role_of(layer)
    return role is not None and role.scheme is not None


def _modality(layer: Layer) -> str | None:
    role = role_of(layer)
    return role.modality if role is not None else None
