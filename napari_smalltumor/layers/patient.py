"""Which patient a layer belongs to.

A patient is identified by name and folder, so that two examinations with the same name are two
patients. Every layer of a case belongs to the case's patient, and so does every copy of it. The
patient of a layer can be assigned: a layer of another plugin that was segmented belongs to the
patient of the result.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import Case
from smalltumor.data.made_of import are_others, digests_of_images
from smalltumor.data.masks.named_case import named_case
from smalltumor.data.naming.file_names import cases_of_images, parse_file_name
from smalltumor.data.naming.stated_case import continues_name, states_case, states_other_case
from smalltumor.data.volumes.nifti import is_image_name, stem
from smalltumor.errors import CaseError
from smalltumor.files.folder_parts import distinctive_part
from smalltumor.files.names import safe_name

from napari_smalltumor.layers.metadata import (
    METADATA_KEY,
    LayerKind,
    case_of,
    provenance_of,
    region_of,
    role_of,
    same_case,
)

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
    paths = list(case.paths.values()) or ([case.labels_path] if case.labels_path else [])
    return Patient(case.name, case.folder or _common_folder(tuple(paths)))


def patient_of_shown_case(layers: Iterable[Layer], case: Case) -> Patient:
    """The patient of a case's layers; labels may have joined the patient of their images."""
    own = (patient_of(layer) for layer in layers if same_case(case_of(layer), case))
    return next((patient for patient in own if patient is not None), patient_of_case(case))


def patient_of(layer: Layer) -> Patient | None:
    """The patient that a layer or the original of a copy belongs to; None if it is not known."""
    assigned = layer.metadata.get(PATIENT_KEY)
    if isinstance(assigned, Patient):
        return assigned
    role = role_of(layer) or provenance_of(layer.metadata)
    return patient_of_case(role.case) if role is not None and role.case is not None else None


def assign(layer: Layer, patient: Patient) -> None:
    """Make a layer, and copies that are made of it from now on, belong to a patient."""
    if patient_of(layer) != patient:
        layer.metadata = {**layer.metadata, PATIENT_KEY: patient}


def unassign(layer: Layer) -> None:
    """Make a layer without a role, and copies that are made of it from now on, of no patient."""
    entries = {PATIENT_KEY, METADATA_KEY}
    layer.metadata = {key: value for key, value in layer.metadata.items() if key not in entries}


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
    """The name of each patient, with the folder that tells patients of the same name apart."""
    found = {}
    for patient in patients:
        folders = [other.folder for other in patients if other.name == patient.name]
        if len(folders) > 1:
            found[patient] = f"{patient.name} ({distinctive_part(patient.folder, folders)})"
        else:
            found[patient] = patient.name
    return found


def join_patient(layer: Layer, layers: Sequence[Layer], active: Patient | None) -> bool:
    """Assign a newly opened file to the patient that it can only belong to, if there is one.

    Parameters
    ----------
    layer : Layer
        A layer that was just added.
    layers : sequence of layers
        All layers of the viewer.
    active : Patient or None
        The patient who was active when the file was asked for. A mask whose file name and folder
        tell no patient belongs to this one, if it has the same grid.

    Returns
    -------
    bool
        Whether nothing tells that it is the patient's but that the patient was active.
    """
    for follower in [layer, *_labels_without_images(layers)]:
        patient = _patient_to_join(follower, layers, active if follower is layer else None)
        if patient is not None:
            assign(follower, patient)
    case, joined = case_of(layer), layer.metadata.get(PATIENT_KEY)
    if case is None or joined is None or joined != active or not _is_unnamed(case):
        return False
    return not (
        states_case(case.name, joined.name)
        or (_lies_beside(case, joined, layers) and len(_cases_beside(case)) == 1)
        or _is_folder_named_after(case, joined)
    )


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


def joins_by_name(layer: Layer) -> bool:
    """Whether a layer may join the patient of other files: it states no case or has no images."""
    return not _has_images(case_of(layer)) or is_unidentified_image(layer)


def _labels_without_images(layers: Sequence[Layer]) -> Iterator[Layer]:
    pictured = {patient_of(x) for x in layers if _has_images(case_of(x))}
    return (x for x in layers if case_of(x) is not None and patient_of(x) not in pictured)


def _patient_to_join(
    layer: Layer, layers: Sequence[Layer], active: Patient | None
) -> Patient | None:
    case = case_of(layer)
    if case is None or not joins_by_name(layer):
        return None
    own = patient_of(layer)
    others = [x for x in layers if x is not layer and _fits(x, case)]
    candidates = patients_among(others)
    if own in candidates:
        return None
    if is_unidentified_image(layer):
        return _only(p for p in candidates if _is_file_of(case, p))
    if region_of(layer) is not None:
        candidates = [p for p in candidates if not _has_other_regions(layers, p, case)]
    beside = [p for p in candidates if _lies_beside(case, p, others)]
    if _lies_beside_its_images(case):
        candidates = beside
    if _is_unnamed(case):
        return _patient_of_unnamed(case, candidates, beside, active)
    return _only(p for p in candidates if p.name == case.name)


def patient_with_other_regions(layer: Layer, layers: Sequence[Layer]) -> Patient | None:
    """The open patient of the name and grid of a region's file, who has regions already."""
    case = case_of(layer)
    if case is None or region_of(layer) is None or not joins_by_name(layer):
        return None
    others = [x for x in layers if x is not layer and _fits(x, case)]
    named = [p for p in patients_among(others) if p.name == case.name and p != patient_of(layer)]
    return _only(p for p in named if _has_other_regions(layers, p, case))


def _has_other_regions(layers: Sequence[Layer], patient: Patient, case: Case) -> bool:
    """Whether a patient has regions that are not those of a case."""
    own = (x for x in layers_of_patient(layers, patient) if region_of(x) is not None)
    return any(not same_case(case_of(x), case) for x in own)


def _lies_beside_its_images(case: Case) -> bool:
    """Whether the images of the case lie beside its mask; of a mask of no case, whether any do."""
    found = _cases_beside(case)
    return bool(found) and (_is_unnamed(case) or case.name in found)


def _cases_beside(case: Case) -> Set[str]:
    """Names of the cases whose images lie beside a mask."""
    folder = patient_of_case(case).folder
    return cases_of_images(folder) if folder is not None else frozenset()


def _patient_of_unnamed(
    case: Case,
    candidates: Sequence[Patient],
    beside: Sequence[Patient],
    active: Patient | None,
) -> Patient | None:
    """The patient of a mask whose name has no known ending, and may state a case all the same.

    ``P7.nii.gz`` and ``P7_pred.nii.gz`` state P7, ``corrected.nii.gz`` states none.
    """
    stated = [p for p in candidates if states_case(case.name, p.name)]
    if stated:
        longest = max(len(p.name) for p in stated)
        return _only(p for p in stated if len(p.name) == longest)
    possible = [p for p in candidates if not _is_named_after_another(case, p, p in beside)]
    told = [p for p in possible if p in beside or _is_folder_named_after(case, p)]
    return active if active in (told or possible) else _only(told)


def _is_folder_named_after(case: Case, patient: Patient) -> bool:
    folder = patient_of_case(case).folder
    return folder is not None and states_case(folder.name, patient.name)


def _is_named_after_another(case: Case, patient: Patient, lies_beside: bool) -> bool:
    """Whether the name of a mask, or the files beside it, tell that it is another patient's."""
    if states_other_case(case.name, patient.name):
        return True
    folder = patient_of_case(case).folder
    if folder is None:
        return False
    if lies_beside:
        return _case_in(folder, case.name) not in (None, patient.name)
    if states_other_case(folder.name, patient.name):
        return True
    # The file of this name is the patient's mask, so that masks there are named after patients.
    return any(stem(path) == patient.name for path in folder.glob("*") if is_image_name(path))


def _lies_beside(case: Case, patient: Patient, layers: Sequence[Layer]) -> bool:
    """Whether a mask lies in the folder of a patient, or of one of the patient's images."""
    folder = patient_of_case(case).folder
    own = (case_of(layer) for layer in layers_of_patient(layers, patient))
    folders = {path.parent for found in own if found is not None for path in found.paths.values()}
    return folder is not None and folder in {patient.folder, *folders}


def _fits(other: Layer, case: Case) -> bool:
    """Whether a layer shows an identified image on the grid of a case, and not others."""
    other_case = case_of(other)
    return (
        other_case is not None
        and _has_images(other_case)
        and not is_unidentified_image(other)
        and other_case.grid.matches(case.grid)
        and not is_of_others(case, other_case)
    )


def is_of_others(mask: Case, images: Case) -> bool:
    """Whether the file of a mask alone records other images than those of a case."""
    made_of = mask.labels_made_of
    return bool(made_of) and are_others(made_of, digests_of_images(images))


def _has_images(case: Case | None) -> bool:
    return case is not None and bool(case.volumes)


def _is_unnamed(case: Case) -> bool:
    """Whether a case is that of a label file whose name has no ending that tells the case."""
    return case.labels_path is not None and named_case(case.labels_path) is None


def _is_file_of(case: Case, patient: Patient) -> bool:
    """Whether an image of unknown modality lies in a patient's own folder or has its name."""
    folder = patient_of_case(case).folder
    if folder is None or folder != patient.folder:
        return False
    return folder.name == patient.name or _case_in(folder, case.name) == patient.name


def _case_in(folder: Path, name: str) -> str | None:
    """Of the cases in a folder whose name a name continues, the one with the longest."""
    parsed = (parse_file_name(path) for path in folder.glob("*"))  # nothing if it is gone
    cases = {safe_name(found[0]) for found in parsed if found is not None and found[0]}
    return max((c for c in cases if continues_name(name, c)), key=len, default=None)


def _only(patients: Iterable[Patient]) -> Patient | None:
    found = list(patients)
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=256)  # asked for every layer, many times a switch
def _common_folder(paths: tuple[Path, ...]) -> Path | None:
    folders = {os.path.normpath(path.parent.absolute()) for path in paths}
    if not folders:
        return None
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # on different drives
        return Path(min(folders))


def same_patient(one: Layer, other: Layer) -> bool:
    """Whether two layers belong to the same known patient."""
    patient = patient_of(one)
    return patient is not None and patient == patient_of(other)
