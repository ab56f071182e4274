"""Which patient a layer belongs to.

A patient is identified by name and folder, so that two examinations with the same name are two
patients. Every layer of a case belongs to the case's patient, and so does every copy of it. The
patient of a layer can be assigned: a layer of another plugin that was segmented belongs to the
patient of the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from smalltumor.data.case import Case
from smalltumor.data.identity.visits import folder_of
from smalltumor.errors import CaseError
from smalltumor.files.folder_parts import distinctive_part

from napari_smalltumor.layers.metadata import (
    METADATA_KEY,
    LayerKind,
    case_of,
    role_of,
    same_case,
    source_role_of,
)
from napari_smalltumor.layers.own_metadata import set_metadata

if TYPE_CHECKING:
    from napari.layers import Layer

PATIENT_KEY = "smalltumor_patient"
"""Key of an assigned patient in a layer's metadata, which napari passes to copies."""


@dataclass(frozen=True)
class Patient:
    """A patient whose layers are open in a viewer.

    Parameters
    ----------
    name : str
        Name of the case.
    folder : Path or None
        Folder of the files; None if the images were not read from files by this plugin.
    """

    name: str
    folder: Path | None = None

    @property
    def location(self) -> str:
        """Where the files are, for the user."""
        return str(self.folder) if self.folder is not None else "no file"


def patient_of_case(case: Case) -> Patient:
    """The patient of a case, from its name and the folder of its images or labels."""
    return Patient(case.name, folder_of(case))


def patient_of_shown_case(layers: Iterable[Layer], case: Case) -> Patient:
    """The patient of a case's layers; labels may have joined the patient of their images."""
    own = (patient_of(layer) for layer in layers if same_case(case_of(layer), case))
    return next((patient for patient in own if patient is not None), patient_of_case(case))


def patient_of(layer: Layer) -> Patient | None:
    """The patient that a layer or the original of a copy belongs to; None if it is not known."""
    assigned = layer.metadata.get(PATIENT_KEY)
    if isinstance(assigned, Patient):
        return assigned
    role = role_of(layer) or source_role_of(layer.metadata)
    return patient_of_case(role.case) if role is not None and role.case is not None else None


def assign(layer: Layer, patient: Patient) -> None:
    """Make a layer, and copies that are made of it from now on, belong to a patient."""
    if patient_of(layer) != patient:
        set_metadata(layer, {**layer.metadata, PATIENT_KEY: patient})


def unassign(layer: Layer) -> None:
    """Make a layer without a role, and copies that are made of it from now on, of no patient."""
    entries = {PATIENT_KEY, METADATA_KEY}
    set_metadata(layer, {key: value for key, value in layer.metadata.items() if key not in entries})


def is_drawn(layer: Layer) -> bool:
    """Whether a layer was created in the window, as points, shapes, labels and results are.

    Layers from files, and images, which may be an atlas or of another patient, are not.
    """
    source = layer.source
    from_file = source.path is not None or source.reader_plugin is not None
    is_own = role_of(layer) is not None
    return not (is_own or from_file or source.sample is not None or layer._type_string == "image")


def patients_among(layers: Iterable[Layer]) -> list[Patient]:
    """The patients of the layers, in the order of their first layers."""
    return list(dict.fromkeys(p for layer in layers if (p := patient_of(layer)) is not None))


def layers_of_patient(layers: Iterable[Layer], patient: Patient | None) -> list[Layer]:
    """The layers that belong to a patient."""
    return [layer for layer in layers if patient is not None and patient_of(layer) == patient]


def titles(patients: Sequence[Patient]) -> dict[Patient, str]:
    """The name of each patient, with what tells patients of names that look the same apart."""
    found = {patient: _with_folder(patient, patients) for patient in patients}
    return {patient: _with_location(patient, found) for patient in patients}


def _with_folder(patient: Patient, patients: Sequence[Patient]) -> str:
    folders = [other.folder for other in patients if _look_same(other.name, patient.name)]
    if len(folders) == 1:
        return patient.name
    return f"{patient.name} ({distinctive_part(patient.folder, folders)})"


def _with_location(patient: Patient, titles: Mapping[Patient, str]) -> str:
    """A title, with the whole folder if the name of one patient is the title of another."""
    same = [other for other, title in titles.items() if _look_same(title, titles[patient])]
    if len(same) == 1:
        return titles[patient]
    is_one_folder = len({other.folder for other in same}) == 1
    number = f", {same.index(patient) + 1}" if is_one_folder else ""
    return f"{patient.name} ({patient.location}{number})"


def _look_same(one: str, other: str) -> bool:
    """Whether texts consist of the same letters, be they composed or decomposed."""
    return normalize("NFC", one) == normalize("NFC", other)


def name_apart(case: Case, images: Iterable[Layer], layers: Iterable[Layer]) -> None:
    """Give a case of images of no patient a name that no patient of the layers has.

    Images of another reader have no folder that tells two patients of one name apart, and many
    have no name.
    """
    if any(patient_of(image) is not None for image in images):
        return
    name, taken = case.name, patients_among(layers)
    numbers = count(2)
    while patient_of_case(case) in taken:
        case.name = f"{name} {next(numbers)}"


def patient_of_images(images: Iterable[Layer], case: Case) -> Patient:
    """The patient of a case that was created from image layers.

    Raises
    ------
    CaseError
        If an image belongs to another patient.
    """
    patient = patient_of_case(case)
    for layer in images:
        other = patient_of(layer)
        if other not in (None, patient) and not is_unidentified_image(layer):
            raise CaseError(f"{layer.name} is an image of another patient than {case.name}")
    return patient


def is_unidentified_image(layer: Layer) -> bool:
    """Whether a layer is an image file whose name states no modality and thus no case."""
    role = role_of(layer)
    unidentified = role is not None and role.kind is LayerKind.IMAGE and role.modality is None
    return unidentified and PATIENT_KEY not in layer.metadata


def are_of_one_patient(one: Layer, other: Layer) -> bool:
    """Whether two layers belong to the same known patient."""
    patient = patient_of(one)
    return patient is not None and patient == patient_of(other)
