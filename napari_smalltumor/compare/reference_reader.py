"""Make a file or a layer the reference of the active patient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from smalltumor.data.case import Case
from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.errors import Action, LabelError, SmalltumorError
from smalltumor.labels.schemes import integer_values

from napari_smalltumor import notify
from napari_smalltumor.compare.choices import (
    ReferenceChoice,
    case_to_compare,
    current_choice,
)
from napari_smalltumor.compare.followed_layer import FollowedLayer
from napari_smalltumor.compare.reference_file import (
    DisplayMasks,
    check_layer,
    masks_of_layer,
    read_reference,
    told_regions_of_layer,
)
from napari_smalltumor.compare.shown_reference import remove_reference, show_reference
from napari_smalltumor.deferred_calls import once_idle
from napari_smalltumor.layers.masks.reference import reference_layers
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.loading.labels.schemes import ask_scheme_of_values
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import with_title
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels


@dataclass(frozen=True, eq=False)
class _Reading:
    """A file that is being read, for the patient who was active when it was chosen."""

    patient: Patient | None
    case: Case
    choice: ReferenceChoice


class ReferenceReader(QObject):
    """Reads masks in a worker and shows them as the reference of their patient.

    A file that is read when another patient has become active is added to the hidden layers of its
    own patient. A reference that was copied from a layer follows the edits of that layer.

    Parameters
    ----------
    viewer : ViewerModel
    parent : QObject
    """

    changed = Signal()
    """A file is being read, or has been read, or was refused."""

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._patients = active_patient(viewer)
        self._readings: dict[Patient | None, _Reading] = {}
        self._refusals: dict[Patient | None, str] = {}
        self._source = FollowedLayer(self._copy_again, self)

    @property
    def busy(self) -> bool:
        """Whether a file is being read, for any patient."""
        return bool(self._readings)

    @property
    def message(self) -> str:
        """What is being read for the active patient, or why its last choice was refused."""
        reading = self._readings.get(self._patients.current)
        if reading is not None:
            return f"Reading {reading.choice.title} ..."
        return self._refusals.get(self._patients.current, "")

    def choose(self, choice: ReferenceChoice | None) -> None:
        """Make a mask the reference; None for no reference."""
        case = case_to_compare(self._viewer)
        self._refusals.pop(self._patients.current, None)
        self._readings.pop(self._patients.current, None)
        if choice is None or case is None:
            remove_reference(self._viewer)
        elif choice.layer is not None:
            self._copy(choice, choice.layer, case)
        elif choice.path is not None:
            self._read(choice, choice.path, case)
        self.changed.emit()

    def forget_closed(self) -> None:
        """Forget why files were refused for patients that were closed."""
        is_open = self._patients.patients
        self._refusals = {p: text for p, text in self._refusals.items() if p in is_open}

    def follow_source(self) -> None:
        """Follow the layer that the reference was copied from, if there is one."""
        choice = current_choice(self._viewer)
        self._source.follow(choice.layer if choice is not None else None)

    def stop(self) -> None:
        """Follow no layer, and discard what is being read."""
        self._readings.clear()
        self._source.follow(None)

    def _copy(self, choice: ReferenceChoice, layer: Labels, case: Case) -> None:
        try:
            check_layer(layer, case)
            masks = masks_of_layer(layer, told_regions_of_layer(layer))
        except SmalltumorError as error:
            self._refuse(self._patients.current, error)
            return
        show_reference(self._viewer, case, masks, choice)
        layer.visible = False  # its contours are drawn in its place

    def _copy_again(self, layer: Labels) -> None:
        """Copy a layer again that was edited."""
        choice = current_choice(self._viewer)
        if choice is None or choice.layer is not layer:
            return
        try:
            masks = masks_of_layer(layer)
        except SmalltumorError as error:
            self._refuse(self._patients.current, error)
            self.changed.emit()
            return
        for region, shown in reference_layers(self._patients.layers).items():
            shown.data = masks[region]
        self.changed.emit()

    def _read(
        self, choice: ReferenceChoice, path: Path, case: Case, scheme: str | None = None
    ) -> None:
        reading = _Reading(self._patients.current, case, choice)
        self._readings[reading.patient] = reading
        run_in_thread(
            partial(read_reference, path, case, scheme),
            self,
            once_idle(self, partial(self._on_read, reading)),
            once_idle(self, partial(self._on_failed, reading)),
            name=f"reading of {path.name}",
        )

    def _on_read(self, reading: _Reading, masks: DisplayMasks) -> None:
        if self._end(reading):
            show_reference(self._viewer, reading.case, masks, reading.choice)
            self.changed.emit()

    def _on_failed(self, reading: _Reading, error: Exception) -> None:
        if not self._end(reading):
            return
        if _needs_scheme(error) and self._read_as_chosen(reading):
            return
        if isinstance(error, SmalltumorError):
            self._refuse(reading.patient, error)
        else:
            notify.report_error(error)
        self.changed.emit()

    def _refuse(self, patient: Patient | None, error: SmalltumorError) -> None:
        text = notify.error_text(error)
        if patient is not None:
            text = with_title(self._patients.title_of(patient), patient.name, text)
        self._refusals[patient] = text

    def _read_as_chosen(self, reading: _Reading) -> bool:
        """Ask what the values of the file mean, and read it again; False if nothing was chosen."""
        path, viewer = reading.choice.path, self._viewer
        assert path is not None
        values = integer_values(read_label_volume(path).data)
        scheme = ask_scheme_of_values(viewer, path, values, reading.patient)
        if scheme is None or active_patient(viewer).current != reading.patient:
            return False
        self._read(reading.choice, path, reading.case, scheme.name)
        self.changed.emit()
        return True

    def _end(self, reading: _Reading) -> bool:
        """Whether a file that has been read is still wanted, by a patient who is still open."""
        if self._readings.get(reading.patient) is not reading:
            return False
        del self._readings[reading.patient]
        return reading.patient in self._patients.patients


def _needs_scheme(error: Exception) -> bool:
    remedy = error.remedy if isinstance(error, LabelError) else None
    return remedy is not None and remedy.action is Action.NAME_SCHEME
