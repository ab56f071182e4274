"""Labels that are drawn on the images of a case are saved on its grid.

napari's button for new labels makes a layer with the shape and the place of the selected one. Saved
by these alone it would lose the rotation of an oblique scan, which the window does not show.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from smalltumor.data.made_by import MadeBy

from napari_smalltumor.layers.coordinates import lies_on
from napari_smalltumor.layers.drawings import is_new
from napari_smalltumor.layers.metadata import add_provenance, case_of, source_role_of
from napari_smalltumor.layers.patient import is_drawn, layers_of_patient, patient_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class DrawnLabels:
    """Gives new labels layers the case on whose images they lie.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        active_patient(viewer)  # it assigns a layer that is drawn first
        viewer.layers.events.inserted.connect(self._on_inserted, position="last")

    def _on_inserted(self, event: Any) -> None:
        layer, layers = event.value, event.source
        if layer._type_string == "labels" and is_drawn(layer) and is_new(layer):
            put_on_grid(layer, layers, MadeBy("MANUAL"))


def put_on_grid(layer: Layer, layers: Iterable[Layer], made_by: MadeBy | None = None) -> None:
    """Give labels of a patient the case on whose images they lie, if there is one.

    Files of the labels then record what made them, if that is known.
    """
    if source_role_of(layer.metadata) is not None:
        return
    data, attributes, _ = layer.as_layer_data_tuple()
    for other in layers_of_patient(layers, patient_of(layer)):
        case = case_of(other)
        if case is not None and lies_on(case.grid, data.shape, attributes):
            add_provenance(layer, case, made_by)
            return


@one_per_viewer
def ensure_drawn_labels(viewer: ViewerModel) -> DrawnLabels:
    """Watch for new labels layers from now on; further calls return the same object."""
    return DrawnLabels(viewer)
