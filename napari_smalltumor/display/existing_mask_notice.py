"""Says whose mask a patient is shown with, if it was not segmented here, as long as that is so."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

from smalltumor.data.naming.export_names import edited_labels_name
from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.layers.metadata import LayerKind, case_of, region_of, role_of
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.switching.next_frame import next_frame
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_OF_FILES = (LayerKind.TISSUE_CLASSES, LayerKind.LABELS)


class ExistingMaskNotice:
    """Shows the message with the patient, once, and removes it when it no longer applies.

    While it applies, its words follow the title of the patient and the masks that are shown.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._patients = active_patient(viewer)
        self._told: set[Patient] = set()
        self._ended: set[Patient] = set()
        self._shown = ""
        self._about: Patient | None = None
        self._patients.changed.connect(self._update)
        self._patients.patients_changed.connect(self._update)

    def end(self, patient: Patient) -> None:
        """Say it no longer of a patient, whose masks hold edits that were restored."""
        self._ended.add(patient)
        self._update()

    def _update(self) -> None:
        viewer, patient = self._viewer(), self._patients.current
        for patients in (self._told, self._ended):
            patients.intersection_update(self._patients.patients)
        text = self._text()
        if viewer is None or text == self._shown:
            return
        goes_on = bool(self._shown) and patient == self._about
        if self._shown:
            self._patients.messages.remove_about_active(self._shown)
        self._shown = ""
        if text and patient is not None and (goes_on or patient not in self._told):
            self._told.add(patient)
            self._shown, self._about = text, patient
            next_frame(viewer).then(partial(self._say, text))

    def _say(self, text: str) -> None:
        viewer = self._viewer()
        if viewer is not None and text == self._shown:
            notify.info(self._patients.messages.about_active(text))

    def _text(self) -> str:
        """What is to be said of the active patient; empty if there is nothing."""
        if self._patients.current in self._ended:
            return ""
        layers = self._patients.layers
        names = list(dict.fromkeys(name for layer in layers if (name := file_of(layer))))
        if not names or any(region_of(layer) is not None for layer in layers):
            return ""
        return (
            f"{self._patients.title} is shown with the mask in {list_text(names)}, not with a "
            f"new segmentation.{_edits_text(layers)}"
        )


def _edits_text(layers: Sequence[Layer]) -> str:
    """That edits of the masks are in files that are not open; empty if there are none."""
    opened = {case.labels_path for case in map(case_of, layers) if case is not None}
    masks = {case_of(layer) for layer in layers if file_of(layer)}
    paths = [
        case.labels_path.with_name(edited_labels_name(case.name))
        for case in masks
        if case is not None and case.labels_path is not None
    ]
    names = [path.name for path in paths if path not in opened and path.is_file()]
    if not names:
        return ""
    return f" Edited labels were saved in {list_text(names)}, which opens if you drop it here."


def file_of(layer: Layer) -> str:
    """Name of the file of a mask beside the images of a case, or an empty text."""
    role = role_of(layer)
    if role is None or role.kind not in _OF_FILES or role.case is None or not layer.visible:
        return ""
    path = role.case.labels_path
    return path.name if path is not None and role.case.volumes else ""


@one_per_viewer
def ensure_existing_mask_notice(viewer: ViewerModel) -> ExistingMaskNotice:
    """Say whose masks are shown from now on; further calls return the same object."""
    return ExistingMaskNotice(viewer)
