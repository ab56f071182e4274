"""Close a patient, after a question if something is lost by it, and open one that was closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QWidget

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.autosave.edit_texts import what_was_not_done
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.layers.drawings import holds_drawing
from napari_smalltumor.layers.metadata import cases_among
from napari_smalltumor.layers.patient import Patient, layers_of_patient
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.cases_in_use import Use, use_of
from napari_smalltumor.patients.closed_by_hand import closed_by_hand
from napari_smalltumor.patients.missing_layers import missing_layers
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
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

    Edits that were not exported are autosaved first. A segmentation in progress is cancelled.

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
    running = _cancellable_uses(viewer, layers)
    texts = _what_is_lost(
        active_patient(viewer).title_of(patient), running, autosave.edited(layers), layers
    )
    if texts and not questions.confirm(parent, "Close the patient?", " ".join(texts), "Close"):
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


def _cancellable_uses(viewer: ViewerModel, layers: list[Layer]) -> list[Use]:
    uses = [use_of(viewer, case) for case in cases_among(layers)]
    return [use for use in uses if use is not None and use.cancel is not None]


def _what_is_lost(
    title: str, running: list[Use], edited: Sequence[str], layers: list[Layer]
) -> list[str]:
    texts = [f"{title} is being {use.name}. Closing the patient cancels that." for use in running]
    if edited:
        kept = (
            "You can restore them when you open the same files again."
            if settings.get("autosave")
            else "Autosave is off: they will be lost."
        )
        texts.append(f"Edits of {title} {what_was_not_done(edited, layers)}. {kept}")
    if drawn := [layer.name for layer in layers if holds_drawing(layer)]:
        were = "was" if len(drawn) == 1 else "were"
        texts.append(
            f"{', '.join(drawn)} of {title} {were} not saved and will be lost; save with File > "
            "Save Selected Layers."
        )
    return texts
