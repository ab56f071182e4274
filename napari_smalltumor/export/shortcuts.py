"""The keys that save and export the masks of the active patient."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

from napari_smalltumor import keys, notify
from napari_smalltumor.export.dialogs.export_dialog import export_active
from napari_smalltumor.export.dialogs.labels_dialog import ask_and_save_labels, labels_case
from napari_smalltumor.export.edited_labels import edited_labels, save_edited_labels
from napari_smalltumor.export.save import save_active
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.layers.masks.incomplete_results import is_incomplete
from napari_smalltumor.layers.metadata import LayerKind, role_of
from napari_smalltumor.main_window.planes_window import PlanesWindow, planes_window
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

_NAMES = {keys.SAVE: "smalltumor_save", keys.EXPORT: "smalltumor_export"}
_NOTHING_TO_SAVE = (
    "{} has no masks to save: segment the case, or select a mask. File > Save Selected Layers "
    "saves a copy of an image."
)
_SAVE_SELECTED = "napari.window.file.save_layers_dialog.selected"


def ensure_export_keys(viewer: Viewer) -> None:
    """Bind the keys in the window of a viewer, once; a viewer without a window has no keys.

    *Save Selected Layers* stays in the *File* menu without a key: it would write one region of
    three, under a name that no case finds again.
    """
    window = planes_window(viewer)
    if window is None or window.main_window.findChild(QShortcut, _NAMES[keys.SAVE]) is not None:
        return
    if (action := viewer.window.file_menu.findAction(_SAVE_SELECTED)) is not None:
        action.setShortcut(QKeySequence())
    for key, run in ((keys.SAVE, _save), (keys.EXPORT, _export)):
        shortcut = QShortcut(QKeySequence(key.sequence), window.main_window)
        shortcut.setObjectName(_NAMES[key])
        shortcut.activated.connect(partial(run, window))


def _save(window: PlanesWindow) -> None:
    """Save the masks of the active patient; without any, edited labels, or the selected layer.

    While they are being added, a message says so, and so it does if there is nothing to save.
    """
    viewer = window.planes.viewer  # the window must not keep the viewer alive
    if viewer is None:
        return
    if save_state(viewer).has_masks or is_incomplete(active_patient(viewer).layers):
        save_active(viewer)
        return
    patient, selected = active_patient(viewer).current, viewer.layers.selection.active
    if patient is not None and edited_labels(viewer, patient):
        save_edited_labels(unproxied(viewer), patient, window.main_window)
    elif selected is not None and labels_case(selected) is not None:
        ask_and_save_labels(unproxied(viewer), selected, window.main_window)
    elif _is_image(selected):
        notify.info(_NOTHING_TO_SAVE.format(active_patient(viewer).title))
    elif (action := viewer.window.file_menu.findAction(_SAVE_SELECTED)) is not None:
        action.trigger()


def _is_image(layer: Layer | None) -> bool:
    role = role_of(layer) if layer is not None else None
    return role is not None and role.kind is LayerKind.IMAGE


def _export(window: PlanesWindow) -> None:
    viewer = window.planes.viewer
    if viewer is not None:
        export_active(viewer)
