"""Close a patient, after a question if something is lost by it, and open one that was closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QWidget

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.autosave.edit_texts import not_saved_text
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.export.save import save_patient
from napari_smalltumor.export.save_state import SAVE, SAVE_AS_REVIEWED, save_state
from napari_smalltumor.layers.drawings import holds_drawing
from napari_smalltumor.layers.metadata import cases_among, region_layers
from napari_smalltumor.layers.patient import Patient, layers_of_patient
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.cases_in_use import CaseUse, use_of
from napari_smalltumor.patients.closed_by_hand import closed_by_hand
from napari_smalltumor.patients.missing_layers import missing_layers
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from napari.viewer import Viewer

_TITLE = "Close the patient?"
_SAVED = {SAVE: "saved", SAVE_AS_REVIEWED: "saved as reviewed"}


def close_active(viewer: Viewer) -> None:
    """Close the active patient (menu command)."""
    patient = active_patient(viewer).current
    if patient is None:
        notify.error("No patient is open.")
    else:
        close_patient(unproxied(viewer), patient, QApplication.activeWindow())


def close_patient(viewer: ViewerModel, patient: Patient, parent: QWidget | None = None) -> bool:
    """Remove all layers of a patient; the patient that was active before becomes active.

    Edits that were not saved are saved first if the user wants that, and autosaved otherwise. A
    segmentation in progress is cancelled.

    Parameters
    ----------
    viewer : ViewerModel
    patient : Patient
    parent : QWidget, optional
        A widget of the window in which to ask.

    Returns
    -------
    bool
        False if the user cancelled, or the edits could not be saved.
    """
    autosave = ensure_autosave(viewer).autosave
    layers = layers_of_patient(viewer.layers, patient)
    running = _cancellable_uses(viewer, layers)
    lost = [
        *_what_is_cancelled(viewer, patient, running),
        *_what_was_not_saved(viewer, patient, layers),
        *_what_was_drawn(viewer, patient, layers),
    ]
    if lost and not _may_close(viewer, patient, " ".join(lost), parent):
        return False
    for use in running:
        if use.cancel is not None:
            use.cancel()
    autosave.save()
    # napari collects garbage after every removal, or once after all of a batch.
    with missing_layers(viewer).closing(), viewer.layers.batched_update():
        for layer in layers_of_patient(viewer.layers, patient):
            viewer.layers.remove(layer)
    return True


def reopen_closed(viewer: ViewerModel, patient: Patient) -> None:
    """Open a patient again who was closed by removing its layers, with its edits."""
    closed_by_hand(viewer).reopen(patient)
    ensure_autosave(viewer).autosave.save()  # else it asks whether to restore what is there again


def _cancellable_uses(viewer: ViewerModel, layers: list[Layer]) -> list[CaseUse]:
    uses = [use_of(viewer, case) for case in cases_among(layers)]
    return [use for use in uses if use is not None and use.cancel is not None]


def _may_close(viewer: ViewerModel, patient: Patient, lost: str, parent: QWidget | None) -> bool:
    """Whether the user agrees to close a patient, whose edits are saved first if they say so."""
    if not _has_edits_to_save(viewer, patient):
        return questions.confirm(parent, _TITLE, lost, "Close")
    action = save_state(viewer).action_for(patient)
    answers = action, "Close without saving", questions.CANCEL
    answer = questions.ask(parent, _TITLE, lost, *answers, harmless=questions.CANCEL)
    if answer != action:
        return answer != questions.CANCEL
    if not save_patient(viewer, patient, parent):
        return False
    # Saving leaves other labels, such as an expert's, as they are.
    rest = _what_was_not_saved(viewer, patient, layers_of_patient(viewer.layers, patient))
    return not rest or questions.confirm(parent, _TITLE, " ".join(rest), "Close")


def _has_edits_to_save(viewer: ViewerModel, patient: Patient) -> bool:
    case = case_to_export(viewer, patient)
    if case is None:
        return False
    regions = region_layers(layers_of_patient(viewer.layers, patient), case).values()
    names = {layer.name for layer in regions}
    return not names.isdisjoint(ensure_autosave(viewer).autosave.edited(regions))


def _what_is_cancelled(viewer: ViewerModel, patient: Patient, running: list[CaseUse]) -> list[str]:
    title = active_patient(viewer).title_of(patient)
    return [f"{title} is being {use.name}. Closing the patient cancels that." for use in running]


def _what_was_not_saved(viewer: ViewerModel, patient: Patient, layers: list[Layer]) -> list[str]:
    removed = missing_layers(viewer).layers_of(patient)
    edited = ensure_autosave(viewer).autosave.edited([*layers, *removed])
    if not edited:
        return []
    kept = (
        "You can restore them when you open the same files again."
        if settings.get("autosave")
        else "Autosave is off: they will be lost."
    )
    saving = _SAVED[save_state(viewer).action_for(patient)]
    title = active_patient(viewer).title_of(patient)
    return [f"Edits of {title} {not_saved_text(edited, layers, saving)}. {kept}"]


def _what_was_drawn(viewer: ViewerModel, patient: Patient, layers: list[Layer]) -> list[str]:
    drawn = [layer.name for layer in layers if holds_drawing(layer)]
    if not drawn:
        return []
    were = "was" if len(drawn) == 1 else "were"
    return [
        f"{', '.join(drawn)} of {active_patient(viewer).title_of(patient)} {were} not saved and "
        "will be lost; save with File > Save Selected Layers."
    ]
