"""Files that will be taken for those of another patient, by their name or their folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.identity.case_names import is_named_after, states_other_case
from smalltumor.data.naming.file_names import cases_of_images
from smalltumor.errors import CaseError
from smalltumor.files.names import same_name

from napari_smalltumor.layers.changed_images import folders_of
from napari_smalltumor.layers.metadata import cases_among
from napari_smalltumor.layers.patient import Patient, layers_of_patient
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel


def other_name_text(
    viewer: ViewerModel, patient: Patient, path: Path, content: str, ending: str = ""
) -> str:
    """A sentence about a file that is named after another patient or scan; else empty.

    Parameters
    ----------
    viewer : ViewerModel
    patient : Patient
        Whose file it is.
    path : Path
    content : str
        What the file holds, in the plural, such as ``regions``.
    ending : str
        How names of such files end: ``_follow-up`` would be the name of a visit elsewhere.
    """
    name = path.stem.removesuffix(ending) + path.suffix
    if is_named_after(name, patient.name, patient.folder):
        return ""
    patients = active_patient(viewer)
    others = [p for p in patients.patients if p != patient]
    named = next((p for p in others if is_named_after(name, p.name, p.folder)), None)
    if named is not None:
        whose = f"{patients.title_of(named)}, who is open, too"
    elif states_other_case(name, patient.name):
        whose = "another patient or scan"
    else:
        return ""
    title = patients.title_of(patient)
    return f"{path.name} is named after {whose}, but the {content} in it are those of {title}."


def other_folder_text(viewer: ViewerModel, patient: Patient, folder: Path) -> str:
    """A sentence about a folder with the images of another patient or scan; else empty.

    That is the folder of another patient who is open, or one with images of a case of the same
    name, beside which a file would be taken for that of the other case.
    """
    patients = active_patient(viewer)
    title, resolved = patients.title_of(patient), folder.resolve()
    own = _folders_of(viewer, patient)
    if resolved in own:
        return ""
    other = next((p for p in patients.patients if resolved in _folders_of(viewer, p)), None)
    if other is not None:
        return f"{folder} is the folder of {patients.title_of(other)}, who is open, too."
    if any(same_name(patient.name, name) for name in _cases_in(folder)):
        return f"{folder} holds images of the same name that are not those of {title}."
    return ""


def _folders_of(viewer: ViewerModel, patient: Patient) -> set[Path]:
    """The folders of a patient's images, without links."""
    cases = cases_among(layers_of_patient(viewer.layers, patient))
    own = set() if patient.folder is None else {patient.folder.resolve()}
    return own | {folder for case in cases for folder in folders_of(case)}


def _cases_in(folder: Path) -> frozenset[str]:
    try:
        return cases_of_images(folder)
    except CaseError:
        return frozenset()
