"""A case that is opened a second time gets only the layers that it lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import CaseFiles

from napari_smalltumor import notify
from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.layers.metadata import (
    LayerKind,
    LayerRole,
    cases_among,
    role_of,
    same_case,
    source_role_of,
)
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.loading.files.real_paths import real_path
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


def without_open(data: list[LayerData], layers: Iterable[Layer]) -> list[LayerData]:
    """The layers that are not open: a second T1CE would cover the regions of the first.

    Parameters
    ----------
    data : list of LayerData
        The layers of a case.
    layers : iterable of layers
        What is open.
    """
    roles = [role for layer in layers if (role := role_of(layer)) is not None]
    return [one for one in data if not any(_is_same(one, role) for role in roles)]


def named_as_open(files: CaseFiles, layers: Iterable[Layer]) -> CaseFiles:
    """The files under the name of the open case whose T1CE is among them.

    A case that is named after its folder has another name where a link leads to the folder.
    """
    own = {real_path(path) for path in _of_reference(files)}
    for case in cases_among(layers):
        shown = case.paths.get(REFERENCE)
        if shown is not None and real_path(shown) in own:
            return replace(files, name=case.name)
    return files


def _of_reference(files: CaseFiles) -> list[Path]:
    return [files.stacked] if files.stacked is not None else files.modalities.get(REFERENCE, [])


def show_open_case(viewer: ViewerModel, files: CaseFiles) -> None:
    """Make the patient of a case active whose layers are all open, and say so."""
    patients, patient = active_patient(viewer), patient_of_files(viewer, files)
    if patient is not None:
        patients.activate(patient)
        text = f"{patients.title_of(patient)} is open already."
        notify.info(patients.messages.about_active(text))


def patient_of_files(viewer: ViewerModel, files: CaseFiles) -> Patient | None:
    """The patient whose layers show an image of a case; None if it is not open."""
    return patient_of_images(patients_by_image(viewer), real_images(files))


def real_images(files: CaseFiles) -> frozenset[Path]:
    """The images of a case by their real paths."""
    stacked = [files.stacked] if files.stacked is not None else []
    images = [path for found in files.modalities.values() for path in found]
    return frozenset(map(real_path, [*images, *stacked]))


def patients_by_image(viewer: ViewerModel) -> dict[Path, Patient]:
    """The open patients by the real paths of their images, in the order of their layers."""
    is_open, found = set(active_patient(viewer).patients), dict[Path, Patient]()
    for layer in viewer.layers:
        role, patient = role_of(layer), patient_of(layer)
        if role is not None and role.case is not None and patient in is_open:
            for path in role.case.paths.values():  # all layers of a case have the same
                found.setdefault(path, patient)
    shown: dict[Path, Patient] = {}
    for path, patient in found.items():
        shown.setdefault(real_path(path), patient)
    return shown


def patient_of_images(shown: Mapping[Path, Patient], images: Collection[Path]) -> Patient | None:
    """The first patient with one of the images of a case, see `patients_by_image`."""
    return next((patient for path, patient in shown.items() if path in images), None)


def layer_of_file(layers: Iterable[Layer], file: Path) -> Layer | None:
    """The layer that shows an image or label file; copies, regions and references do not."""
    path = real_path(file)
    for layer in layers:
        role = role_of(layer)
        if role is not None and any(path == real_path(own) for own in _files_shown(role)):
            return layer
    return None


def show_open_file(viewer: ViewerModel, file: Path) -> bool:
    """Make the patient of a file active if a layer shows the file, and say so."""
    layer = layer_of_file(viewer.layers, file)
    if layer is None:
        return False
    patient, patients = patient_of(layer), active_patient(viewer)
    if patient not in patients.patients:
        return False
    patients.activate(patient)
    text = f"{file.name} is open already, as {layer.name}."
    notify.info(active_patient(viewer).messages.about_active(text))
    return True


def _files_shown(role: LayerRole) -> list[Path]:
    """The file that a layer shows; a case of an image without modality has one file."""
    if role.case is None:
        return []
    if role.kind is LayerKind.IMAGE:
        paths = role.case.paths
        return [p for m, p in paths.items() if role.modality in (None, m)]
    labels = role.case.labels_path
    is_from_file = role.kind in (LayerKind.TISSUE_CLASSES, LayerKind.LABELS)
    return [labels] if is_from_file and labels is not None else []


def _is_same(data: LayerData, role: LayerRole) -> bool:
    own = source_role_of(data[1].get("metadata", {}))
    return (
        own is not None
        and (own.kind, own.modality, own.region) == (role.kind, role.modality, role.region)
        and own.case is not None
        and same_case(own.case, role.case)
    )
