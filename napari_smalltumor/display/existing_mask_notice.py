"""Says whose mask a patient is shown with, if it was not segmented here, as long as that is so."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from smalltumor.data.naming.export_names import newest_edited_labels
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
        self._edits: dict[Patient, Path | None] = {}
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
        self._edits = {p: path for p, path in self._edits.items() if p in self._patients.patients}
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
            f"new segmentation.{self._edits_text(layers)}"
        )

    def _edits_text(self, layers: Sequence[Layer]) -> str:
        """That edits of the mask are in a file that is not open; empty if they are not.

        Looked for once, when the patient is opened: what is saved later is in the window.
        """
        patient = self._patients.current
        assert patient is not None
        if patient not in self._edits:
            self._edits[patient] = _newest_edits(layers)
        path = self._edits[patient]
        if path is None or path in {c.labels_path for c in map(case_of, layers) if c is not None}:
            return ""
        return (
            f" Edited labels were saved in {path.name} in {path.parent}; drop that file into the "
            "window to open it."
        )


def _newest_edits(layers: Sequence[Layer]) -> Path | None:
    """The file of edited labels that lies beside the masks of files."""
    cases = [case for layer in layers if file_of(layer) and (case := case_of(layer)) is not None]
    found = (
        newest_edited_labels(case.labels_path.parent, case.name)
        for case in cases
        if case.labels_path is not None
    )
    return next(filter(None, found), None)


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
