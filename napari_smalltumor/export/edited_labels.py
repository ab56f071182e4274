"""Labels from files, such as an expert's mask, with edits that are in no file of the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.dialogs.labels_dialog import ask_and_save_labels, labels_case
from napari_smalltumor.layers.patient import Patient, layers_of_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from qtpy.QtWidgets import QWidget


def edited_labels(viewer: ViewerModel, patient: Patient) -> list[Layer]:
    """The labels of a patient whose edits are not saved."""
    labels = [x for x in layers_of_patient(viewer.layers, patient) if labels_case(x) is not None]
    edited = ensure_autosave(viewer).autosave.edited(labels)
    return [layer for layer in labels if layer.name in edited]


def save_edited_labels(viewer: ViewerModel, patient: Patient, parent: QWidget | None) -> bool:
    """Ask for a file for each of `edited_labels`, and write it; False if one was not written."""
    return all(
        ask_and_save_labels(viewer, layer, parent) is not None
        for layer in edited_labels(viewer, patient)
    )
