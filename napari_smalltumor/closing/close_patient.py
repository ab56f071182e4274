"""Close a patient, after a question if something is lost by it, and open one that was closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QWidget

from napari_smalltumor import notify, questions
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.closing.unsaved_work import can_be_saved, saving_action, what_is_unsaved
from napari_smalltumor.export.save import save_patient
from napari_smalltumor.layers.editing.canvas_strokes import end_strokes
from napari_smalltumor.layers.metadata import cases_among
from napari_smalltumor.layers.patient import Patient, layers_of_patient
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.cases_in_use import CaseUse, use_of
from napari_smalltumor.patients.removed.closed_patients import closed_patients
from napari_smalltumor.patients.removed.removed_layers import removed_layers
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from napari.viewer import Viewer

_TITLE = "Close the patient?"


def close_active(viewer: Viewer) -> None:
    """Close the active patient (menu command)."""
    patient = active_patient(viewer).current
    if patient is None:
        notify.error("No patient is open.")
    else:
        close_patient(unproxied(viewer), patient, QApplication.activeWindow())


def close_patient(
    viewer: ViewerModel,
    patient: Patient,
    parent: QWidget | None = None,
    *,
    opens_next: bool = False,
) -> bool:
    """Remove all layers of a patient; the patient that was active before becomes active.

    Edits and results that were not saved are saved first if the user wants that; otherwise edits
    are autosaved, and results lost. A segmentation in progress is cancelled.

    Parameters
    ----------
    viewer : ViewerModel
    patient : Patient
    parent : QWidget, optional
        A widget of the window in which to ask.
    opens_next : bool
        Whether another patient is being opened, so that none becomes active until then.

    Returns
    -------
    bool
        False if the user cancelled, or the edits could not be saved.
    """
    autosave = ensure_autosave(viewer).autosave
    layers = layers_of_patient(viewer.layers, patient)
    end_strokes(layers)  # a dialog gets the release of the button
    running = _cancellable_uses(viewer, layers)
    lost = [
        *_what_is_cancelled(viewer, patient, running),
        *what_is_unsaved(viewer, patient),
    ]
    if lost and not _confirm_closing(viewer, patient, " ".join(lost), parent):
        return False
    for use in running:
        if use.cancel is not None:
            use.cancel()
    autosave.save()
    if opens_next:
        active_patient(viewer).leave()
    # napari collects garbage after every removal, or once after all of a batch.
    with removed_layers(viewer).closing(), viewer.layers.batched_update():
        for layer in layers_of_patient(viewer.layers, patient):
            viewer.layers.remove(layer)
    return True


def reopen_closed(viewer: ViewerModel, patient: Patient) -> None:
    """Open a patient again who was closed by removing its layers, with its edits."""
    closed_patients(viewer).reopen(patient)
    ensure_autosave(viewer).autosave.save()  # else it asks whether to restore what is there again


def _cancellable_uses(viewer: ViewerModel, layers: list[Layer]) -> list[CaseUse]:
    uses = [use_of(viewer, case) for case in cases_among(layers)]
    return [use for use in uses if use is not None and use.cancel is not None]


def _confirm_closing(
    viewer: ViewerModel, patient: Patient, lost: str, parent: QWidget | None
) -> bool:
    """Ask whether to close a patient; the edits are saved first if the user says so."""
    if not can_be_saved(viewer, patient):
        return questions.confirm(parent, _TITLE, lost, "Close")
    action = saving_action(viewer, patient)
    answers = action, "Close without saving", questions.CANCEL
    answer = questions.ask(parent, _TITLE, lost, *answers, harmless=questions.CANCEL)
    if answer != action:
        return answer != questions.CANCEL
    if not save_patient(viewer, patient, parent):
        return False
    # Saving leaves drawings, and what docks know to be unsaved, as they are.
    rest = what_is_unsaved(viewer, patient)
    return not rest or questions.confirm(parent, _TITLE, " ".join(rest), "Close")


def _what_is_cancelled(viewer: ViewerModel, patient: Patient, running: list[CaseUse]) -> list[str]:
    title = active_patient(viewer).title_of(patient)
    return [f"{title} is being {use.name}. Closing the patient cancels that." for use in running]
