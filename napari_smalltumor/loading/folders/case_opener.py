"""The cases of a list: which are open, and which have been exported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.export_names import exports_beside
from smalltumor.data.naming.newest_exports import newest_first
from smalltumor.errors import SmalltumorError
from smalltumor.files.listings import FolderListings
from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.autosave.exports import export_times
from napari_smalltumor.layers.metadata import cases_among
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of
from napari_smalltumor.loading.files.already_open import (
    patient_of_images,
    patients_by_image,
    real_images,
)
from napari_smalltumor.loading.files.real_paths import with_real_paths
from napari_smalltumor.loading.files.replaced_files import check_case_unchanged
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

OpenFound = Callable[..., None]


@dataclass(frozen=True)
class CaseState:
    """What is known of a case of a list.

    Parameters
    ----------
    is_open, is_active : bool
        Whether it is open, by the list or otherwise, and whether its patient is the active one.
    exported : str
        When its mask was exported, or to which file; empty if that is not known.
    """

    is_open: bool
    is_active: bool
    exported: str


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
        self._images: dict[int, frozenset[Path]] = {}
        self.changed = active_patient(viewer).patients_changed

    def open(self, files: CaseFiles, opened: Callable[[], None]) -> None:
        """Open a case, or make its patient the active one; call `opened` when it is open."""
        patients, known = active_patient(self._viewer), self._patient(files)
        if known is not None:
            patients.activate(known)
            try:
                check_case_unchanged(with_real_paths(files), self._viewer.layers)
            except SmalltumorError as error:
                notify.report_error(error)
            self._end_opening(opened)
            return

        def remember(layers: list[Layer]) -> None:
            patient = patient_of(layers[0]) if layers else patients.current
            if patient is not None:
                self._patients[id(files)] = patient
            self._end_opening(opened)

        # A case has one name, whether it is opened from a list, where folders tell it from others,
        # or by itself: edits, decisions and exported masks are found by it.
        self._open_found(self._viewer, replace(files, name=files.own_name), remember)

    def states(self, cases: Iterable[CaseFiles]) -> list[CaseState]:
        """The state of each case, by one look at the layers and one in each folder."""
        patients = active_patient(self._viewer)
        shown, listed = patients_by_image(self._viewer), patients.patients
        current, is_file = patients.current, FolderListings().is_file
        states = []
        for files in cases:
            patient = self._patient_among(shown, listed, files)
            exported = self._exported_text(files, patient, is_file)
            is_open = patient is not None
            states.append(CaseState(is_open, is_open and patient == current, exported))
        return states

    def _patient(self, files: CaseFiles) -> Patient | None:
        listed = active_patient(self._viewer).patients
        return self._patient_among(patients_by_image(self._viewer), listed, files)

    def _patient_among(
        self, shown: Mapping[Path, Patient], listed: Collection[Patient], files: CaseFiles
    ) -> Patient | None:
        """The patient of a case; one whose files show no image is known if it was opened here."""
        key = id(files)
        if key not in self._images:
            self._images[key] = real_images(files)
        found = patient_of_images(shown, self._images[key]) or self._patients.get(key)
        return found if found in listed else None

    def _end_opening(self, opened: Callable[[], None]) -> None:
        """Give the focus to the images, for which the next keys are meant."""
        opened()
        window = planes_window(self._viewer)
        if window is not None:
            window.main_window.activateWindow()
            window.focus_images()

    def _exported_text(
        self, files: CaseFiles, patient: Patient | None, is_file: Callable[[Path], bool]
    ) -> str:
        images = [path for found in files.modalities.values() for path in found]
        beside = newest_first(exports_beside(files.own_name, images, is_file))
        if beside:
            return f"exported to {list_text(file.path.name for file in beside[0])}"
        if patient is not None:
            layers = layers_of_patient(self._viewer.layers, patient)
            times = [t for case in cases_among(layers) for t in export_times(case).values()]
            if times:
                latest = datetime.fromtimestamp(max(times))
                self._exported[id(files)] = f"exported on {latest:%Y-%m-%d at %H:%M}"
        return self._exported.get(id(files), "")
