"""The folder in which the dialogs that write files of a patient start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_smalltumor import settings
from napari_smalltumor.layers.changed_images import folders_of
from napari_smalltumor.layers.metadata import cases_among
from napari_smalltumor.layers.patient import Patient, layers_of_patient
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel

_CHOSEN: dict[Patient, Path] = {}
"""The folder that the user chose last for each patient in this session."""


def output_folder(viewer: ViewerModel, patient: Patient | None) -> Path:
    """The folder to propose: that chosen before for this very patient, else that of its images.

    Never a folder that no longer holds the images that are shown of the patient, nor that of
    another open patient.
    A patient without a folder gets the folder last used, unless it is that of another patient.
    """
    own = [_CHOSEN.get(patient), patient.folder] if patient is not None else []
    changed = _changed_folders(viewer, patient)
    others = {other.folder for other in active_patient(viewer).patients if other != patient}
    others -= {None if patient is None else patient.folder}  # several cases may share a folder
    for folder in own:
        is_free = folder not in others
        if folder is not None and is_free and folder.is_dir() and folder.resolve() not in changed:
            return folder
    last = Path(settings.last_folder(saving=True))
    of_others = others | {folder for other, folder in _CHOSEN.items() if other != patient}
    return Path.home() if last in of_others | changed or not last.is_dir() else last


def _changed_folders(viewer: ViewerModel, patient: Patient | None) -> set[Path]:
    """Folders that no longer hold the images that are shown of a patient."""
    cases = cases_among(layers_of_patient(viewer.layers, patient))
    return {folder for case in cases if case.has_changed_images for folder in folders_of(case)}


def remember_output_folder(patient: Patient | None, path: Path) -> None:
    """Propose the folder of a written file again for this patient, and in napari's dialogs."""
    if patient is not None:
        _CHOSEN[patient] = path.parent
    settings.remember_folder(path, saving=True)
