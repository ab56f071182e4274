"""The cases of a list: which are open, and which have been exported."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from smalltumor.data.masks.exported import region_files_beside
from smalltumor.data.naming.case_files import CaseFiles

from napari_smalltumor.autosave.exports import export_times
from napari_smalltumor.layers.metadata import cases_among
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of
from napari_smalltumor.loading.already_open import patient_of_files
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.reading.window import planes_window

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

OpenFound = Callable[..., None]


class CaseOpener:
    """Opens the cases of a list, each once.

    Parameters
    ----------
    viewer : ViewerModel
    open_found : callable
        Opens a path or the files of a case, as `open_case.open_and_remember` does.
    """

    def __init__(self, viewer: ViewerModel, open_found: OpenFound) -> None:
        self._viewer, self._open_found = viewer, open_found
        self._patients: dict[int, Patient] = {}
        self._exported: dict[int, str] = {}
        self.changed = active_patient(viewer).patients_changed

    def open(self, files: CaseFiles, opened: Callable[[], None]) -> None:
        """Open a case, or make its patient the active one; call `opened` when it is open."""
        patients, known = active_patient(self._viewer), self._patient(files)
        if known is not None:
            patients.activate(known)
            self._end_opening(opened)
            return

        def remember(layers: list[Layer]) -> None:
            patient = patient_of(layers[0]) if layers else patients.current
            if patient is not None:
                self._patients[id(files)] = patient
            self._end_opening(opened)

        self._open_found(self._viewer, files, remember)

    def is_open(self, files: CaseFiles) -> bool:
        """Whether a case is open, by this list or otherwise."""
        return self._patient(files) is not None

    def is_active(self, files: CaseFiles) -> bool:
        """Whether a case is that of the active patient."""
        patient = self._patient(files)
        return patient is not None and patient == active_patient(self._viewer).current

    def _patient(self, files: CaseFiles) -> Patient | None:
        """The patient of a case; one whose files show no image is known if it was opened here."""
        found = patient_of_files(self._viewer, files) or self._patients.get(id(files))
        return found if found in active_patient(self._viewer).patients else None

    def _end_opening(self, opened: Callable[[], None]) -> None:
        """Give the focus to the images, for which the next keys are meant."""
        opened()
        window = planes_window(self._viewer)
        if window is not None:
            window.main_window.activateWindow()
            window.focus_images()

    def exported(self, files: CaseFiles) -> str:
        """When the mask of a case was exported, or to which file; empty if that is not known."""
        images = [path for found in files.modalities.values() for path in found]
        beside = region_files_beside(files.name, images)
        if beside:
            return f"exported to {' and '.join(file.path.name for file in beside)}"
        patient = self._patient(files)
        if patient is not None:
            layers = layers_of_patient(self._viewer.layers, patient)
            times = [t for case in cases_among(layers) for t in export_times(case).values()]
            if times:
                latest = datetime.fromtimestamp(max(times))
                self._exported[id(files)] = f"exported on {latest:%Y-%m-%d at %H:%M}"
        return self._exported.get(id(files), "")
