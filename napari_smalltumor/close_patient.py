"""Close a patient: remove all of its layers, after a question if edits were not exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QWidget

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.autosave.edit_texts import what_was_not_done
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.layers.patient import Patient, layers_of_patient
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.viewer import Viewer


def close_active(viewer: Viewer) -> None:
    """Close the active patient (menu command)."""
    patient = active_patient(viewer).current
    if patient is None:
        notify.error("No patient is open.")
    else:
        close_patient(unproxied(viewer), patient, QApplication.activeWindow())


def close_patient(viewer: ViewerModel, patient: Patient, parent: QWidget | None = None) -> bool:
    """Remove all layers of a patient; the patient that was active before becomes active.

    Edits that were not exported are autosaved first.

    Parameters
    ----------
    viewer : ViewerModel
    patient : Patient
    parent : QWidget, optional
        A widget of the window in which to ask.

    Returns
    -------
    bool
        False if the user cancelled.
    """
    autosave = ensure_autosave(viewer).autosave
    layers = layers_of_patient(viewer.layers, patient)
    edited, title = autosave.edited(layers), active_patient(viewer).title_of(patient)
    if edited and not _may_close(parent, title, what_was_not_done(edited, layers)):
        return False
    autosave.save()
    # napari collects garbage after every removal, or once after all of a batch.
    with viewer.layers.batched_update():
        for layer in layers_of_patient(viewer.layers, patient):
            viewer.layers.remove(layer)
    return True


def _may_close(parent: QWidget | None, patient: str, not_done: str) -> bool:
    kept = (
        "You will be asked whether to restore them when the same files are opened again."
        if settings.get("autosave")
        else "Autosave is off: they will be lost."
    )
    return questions.confirm(
        parent,
        "Close the patient?",
        f"Edits of {patient} {not_done}. {kept}",
        "Close",
    )
