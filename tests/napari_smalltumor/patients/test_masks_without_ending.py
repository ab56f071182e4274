"""A mask whose name has no ending such as `_seg` goes to the patient that its name or folder tells.

Only if neither tells anything does it go to the active patient, and that is said.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from napari_cases import MODALITIES, write_case_along
from qtpy.QtWidgets import QApplication

from napari_smalltumor import notify
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.reader import get_reader
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient


@pytest.fixture
def viewer(monkeypatch):
    monkeypatch.setattr(QApplication, "instance", lambda: None)
    viewer = ViewerModel()
    active_patient(viewer)
    return viewer


@pytest.fixture
def patients(viewer) -> ActivePatient:
    return active_patient(viewer)


@pytest.fixture
def said(monkeypatch) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(notify, "info", texts.append)
    return texts


def layers_of(*paths: Path) -> list[Layer]:
    files = [str(path) for path in paths]
    given = files if len(files) > 1 else files[0]
    reader = get_reader(given)
    assert reader is not None
    return [Layer.create(*data) for data in reader(given)]


def open_images(viewer: ViewerModel, folder: Path, name: str) -> None:
    """Open the four images of a case; it becomes the active patient."""
    write_case_along(folder, labels=False, name=name)
    for layer in layers_of(*(folder / f"{name}_{m}.nii.gz" for m in MODALITIES)):
        viewer.add_layer(layer)


@pytest.fixture
def write_mask(tmp_path):
    """Write a mask, as another program does; its folder may hold others."""
    source = write_case_along(tmp_path / "source", name="x") / "x_seg.nii.gz"

    def write(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)
        return path

    return write


def patient_after_opening(viewer: ViewerModel, path: Path) -> str:
    (layer,) = layers_of(path)
    viewer.add_layer(layer)
    return patient_of(layer).name


@pytest.mark.parametrize("name", ["BraTS_002", "BraTS_002_pred", "brats_002_Net.2"])
def test_a_mask_named_after_an_open_patient_joins_that_one(
    viewer, patients, tmp_path, write_mask, said, name
):
    for number in ("BraTS_002", "BraTS_000"):
        open_images(viewer, tmp_path / number, number)
    assert patients.title == "BraTS_000"
    found = patient_after_opening(viewer, write_mask(tmp_path / "masks" / f"{name}.nii.gz"))
    assert found == patients.title == "BraTS_002" and said == []


@pytest.mark.parametrize(
    ("open_name", "mask"),
    [
        ("BraTS_000", "BraTS_002"),
        ("BraTS_000", "BraTS_002_pred"),
        ("P7_visit1", "P7_visit2"),
        ("P7_visit1", "P7_visit2_pred"),
        ("P7", "P7_visit2"),
        ("P1", "P10"),
    ],
)
def test_a_mask_named_after_a_patient_who_is_not_open_joins_nobody(
    viewer, tmp_path, write_mask, said, open_name, mask
):
    open_images(viewer, tmp_path / open_name, open_name)
    for folder in (tmp_path / "masks", tmp_path / open_name):
        found = patient_after_opening(viewer, write_mask(folder / f"{mask}.nii.gz"))
        assert found == mask and said == []


def test_a_mask_in_a_folder_of_masks_named_after_patients_joins_no_other(
    viewer, tmp_path, write_mask, said
):
    open_images(viewer, tmp_path / "Anna", "Anna")
    for name in ("Anna", "Bob"):
        write_mask(tmp_path / "masks" / f"{name}.nii.gz")
    assert patient_after_opening(viewer, tmp_path / "masks" / "Bob.nii.gz") == "Bob"
    assert said == []


def test_a_mask_of_another_case_of_a_flat_folder_joins_nobody(viewer, tmp_path, write_mask, said):
    open_images(viewer, tmp_path / "flat", "Anna")
    write_case_along(tmp_path / "flat", labels=False, name="Bob")
    assert patient_after_opening(viewer, write_mask(tmp_path / "flat" / "Bob.nii.gz")) == "Bob"


def test_a_mask_beside_the_images_of_a_patient_joins_that_one(
    viewer, patients, tmp_path, write_mask, said
):
    for name in ("Anna", "Bob"):
        open_images(viewer, tmp_path / name, name)
    mask = write_mask(tmp_path / "Anna" / "corrected.nii.gz")
    assert patient_after_opening(viewer, mask) == patients.title == "Anna"
    assert said == []


def test_a_mask_of_which_nothing_tells_joins_the_active_patient_and_that_is_said(
    viewer, patients, tmp_path, write_mask, said
):
    for name in ("Anna", "Bob"):
        open_images(viewer, tmp_path / name, name)
    mask = write_mask(tmp_path / "masks" / "corrected.nii.gz")
    assert patient_after_opening(viewer, mask) == patients.title == "Bob"
    (text,) = said
    assert "names no patient. The layer was added to Bob" in text


@pytest.mark.parametrize("beside", ["Anna", "Anna_nnunet"])
def test_a_mask_among_masks_that_are_named_after_patients_joins_nobody(
    viewer, tmp_path, write_mask, said, beside
):
    open_images(viewer, tmp_path / "Anna", "Anna")
    write_mask(tmp_path / "masks" / f"{beside}.nii.gz")
    mask = write_mask(tmp_path / "masks" / "corrected.nii.gz")
    assert patient_after_opening(viewer, mask) == "corrected" and said == []


def test_that_nothing_told_the_patient_of_a_mask_is_said_once(
    viewer, patients, tmp_path, write_mask, said
):
    open_images(viewer, tmp_path / "Anna", "Anna")
    (mask,) = layers_of(write_mask(tmp_path / "masks" / "corrected.nii.gz"))
    viewer.add_layer(mask)
    viewer.layers.remove(mask)
    viewer.add_layer(mask)  # as when its labels are given a meaning
    assert patient_of(mask).name == "Anna" and len(said) == 1


def test_a_mask_that_arrives_late_is_that_of_the_patient_who_was_active_when_it_was_asked_for(
    viewer, patients, tmp_path, write_mask, said
):
    for name in ("Anna", "Bob"):
        open_images(viewer, tmp_path / name, name)
    (mask,) = layers_of(write_mask(tmp_path / "masks" / "corrected.nii.gz"))
    patients.arrivals.requested_for = patients.patients[0]  # the loader sets it
    patients.insert_arriving(mask)
    patients.finish_arrivals()
    assert patient_of(mask).name == patients.title == "Anna"
    assert "The layer was added to Anna" in said[0]
    assert patients.arrivals.requested_for is None


@pytest.mark.parametrize("mask", ["corrected", "Anna_seg", "Anna_et"])
def test_a_mask_beside_images_that_are_not_open_joins_nobody(
    viewer, tmp_path, write_mask, said, mask
):
    open_images(viewer, tmp_path / "x" / "Anna", "Anna")
    write_case_along(tmp_path / "y" / "Anna", labels=False, name="Anna")
    (layer,) = layers_of(write_mask(tmp_path / "y" / "Anna" / f"{mask}.nii.gz"))
    viewer.add_layer(layer)
    assert patient_of(layer).folder == tmp_path / "y" / "Anna"
    assert not layer.visible or said == []


def test_a_mask_in_a_folder_of_the_name_of_an_open_patient_joins_that_one(
    viewer, patients, tmp_path, write_mask, said
):
    for name in ("Anna", "Bob"):
        open_images(viewer, tmp_path / name, name)
    mask = write_mask(tmp_path / "masks" / "Anna" / "final.nii.gz")
    assert patient_after_opening(viewer, mask) == patients.title == "Anna"
    assert said == []


def test_a_mask_in_a_folder_of_another_number_joins_nobody(viewer, tmp_path, write_mask, said):
    open_images(viewer, tmp_path / "P7", "P7")
    mask = write_mask(tmp_path / "masks" / "P8" / "final.nii.gz")
    assert patient_after_opening(viewer, mask) == "final" and said == []


def binary(path: Path) -> Path:
    image = nib.load(path)
    nib.save(nib.Nifti1Image((np.asarray(image.dataobj) == 4).astype(np.uint8), image.affine), path)
    return path


def test_regions_of_a_file_do_not_mix_with_those_of_the_patient(
    viewer, patients, tmp_path, write_mask, monkeypatch
):
    warned: list[str] = []
    monkeypatch.setattr(notify, "warn", warned.append)
    open_images(viewer, tmp_path / "Anna", "Anna")
    for region in ("et", "tc"):
        file = binary(write_mask(tmp_path / "masks" / f"Anna_{region}.nii.gz"))
        viewer.add_layer(layers_of(file)[0])
    first = patients.patients
    assert [patient.name for patient in first] == ["Anna"]  # the regions of one set
    other = binary(write_mask(tmp_path / "others" / "Anna_et.nii.gz"))
    viewer.add_layer(layers_of(other)[0])
    assert len(patients.patients) == 2 and patients.current not in first
    (text,) = warned
    assert "has regions already, so the mask in" in text and str(tmp_path / "others") in text
