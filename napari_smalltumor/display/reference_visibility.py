"""Show and hide the reference of the active patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_smalltumor.layers.masks.reference import reference_layers
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.status_line import status_line

if TYPE_CHECKING:
    from napari.components import ViewerModel


def toggle_reference(viewer: ViewerModel) -> None:
    """Hide the reference if any of its layers is visible; otherwise show all of them."""
    layers = reference_layers(active_patient(viewer).layers).values()
    if not layers:
        status_line(viewer).say("No reference is shown: choose one in the Compare dock")
        return
    status_line(viewer).remove()
    shown = not any(layer.visible for layer in layers)
    for layer in layers:
        layer.visible = shown
