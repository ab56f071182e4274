"""Assign layers that belong to no patient, such as results of other plugins, to the active one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.layers.metadata import role_of
from napari_smalltumor.layers.patient import Patient, assign, patient_of
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.patients.layer_rules.drawn_labels import put_on_grid
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer


def assign_selected(viewer: Viewer) -> None:
    """Assign the selected layers to the active patient (menu command).

    Labels that lie on its images are saved on their grid from then on.
    """
    viewer = unproxied(viewer)
    patients = active_patient(viewer)
    patient, selected = patients.current, list(viewer.layers.selection)
    problem = _problem(patients, selected)
    if patient is None or problem:
        notify.error(problem)
        return
    for layer in selected:
        assign(layer, patient)
        if layer._type_string == "labels":
            put_on_grid(layer, viewer.layers)
    patients.adopt(selected, patient)
    names = list_text(layer.name for layer in selected)
    belong = "belongs" if len(selected) == 1 else "belong"
    notify.info(f"{names} {belong} to {patients.title} from now on.")


def _problem(patients: ActivePatient, selected: list[Layer]) -> str:
    if patients.current is None:
        return "No patient is open."
    owned = [x for x in selected if patient_of(x) is not None or role_of(x) is not None]
    if owned:
        owner = _owner_text(patients, patient_of(owned[0]))
        return f"{owned[0].name} was not assigned: {owner}."
    return "" if selected else "Select the layers in the layer list that belong to no patient."


def _owner_text(patients: ActivePatient, owner: Patient | None) -> str:
    return "the plugin made it" if owner is None else f"it belongs to {patients.title_of(owner)}"
