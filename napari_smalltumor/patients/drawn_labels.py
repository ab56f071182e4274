"""Labels that are drawn on the images of a case are saved on its grid.

napari's button for new labels makes a layer with the shape and the place of the selected one. Saved
by these alone it would lose the rotation of an oblique scan, which the window does not show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_smalltumor.layers.coordinates import lies_on
from napari_smalltumor.layers.metadata import add_provenance, case_of, provenance_of
from napari_smalltumor.layers.patient import is_drawn, layers_of_patient, patient_of
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class DrawnLabels:
    """Gives new labels layers the case on whose images they lie.

    Parameters
    ----------
    viewer : ViewerModel
    patients : ActivePatient
    """

    def __init__(self, viewer: ViewerModel, patients: ActivePatient) -> None:
        self._patients = patients
        # Last, because a layer that is drawn is first assigned to its patient.
        viewer.layers.events.inserted.connect(self._on_inserted, position="last")

    def _on_inserted(self, event: Any) -> None:
        layer, layers = event.value, event.source
        if layer._type_string != "labels" or provenance_of(layer.metadata) is not None:
            return
        patient = patient_of(layer) or self._patients.current
        if patient is None or not is_drawn(layer) or not _is_new(layer):
            return
        data, attributes, _ = layer.as_layer_data_tuple()
        for other in layers_of_patient(layers, patient):
            case = case_of(other)
            if case is not None and lies_on(case.grid, data.shape, attributes):
                add_provenance(layer, case)
                return


def _is_new(layer: Layer) -> bool:
    """Whether nothing is drawn yet, and no plugin made the layer.

    A result may be of a patient who was active when the plugin began, on a grid like that of the
    present one.
    """
    is_result = layer.source.widget is not None or layer.source.parent is not None
    return not is_result and not np.any(layer.data)


@one_per_viewer
def ensure_drawn_labels(viewer: ViewerModel) -> DrawnLabels:
    """Watch for new labels layers from now on; further calls return the same object."""
    return DrawnLabels(viewer, active_patient(viewer))
