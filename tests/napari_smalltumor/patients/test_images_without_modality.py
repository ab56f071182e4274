"""An image whose name states no modality joins the patient that it is named after, and no other."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from napari_cases import MODALITIES, oriented, random_volume, write_case_along

from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.reader import get_reader
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    active_patient(viewer)
    return viewer


def open_files(viewer: ViewerModel, *paths: Path) -> Layer:
    """Open files as napari does when they are dropped; the last layer of them."""
    files = [str(path) for path in paths]
    reader = get_reader(files if len(files) > 1 else files[0])
    assert reader is not None
    for data in reader(files if len(files) > 1 else files[0]):
        viewer.add_layer(Layer.create(*data))
    return viewer.layers[-1]


def open_case_named(viewer: ViewerModel, folder: Path, name: str) -> Layer:
    write_case_along(folder, labels=False, name=name)
    return open_files(viewer, *(folder / f"{name}_{m}.nii.gz" for m in MODALITIES))


def write_image(path: Path) -> Path:
    nib.save(oriented(random_volume(7), "LPS"), path)
    return path


@pytest.mark.parametrize("other", ["P10_swan", "P1b_swan", "P1test", "P10"])
def test_the_image_of_a_longer_name_in_the_folder_joins_nobody(viewer, tmp_path, other):
    shown = open_case_named(viewer, tmp_path, "P1")
    image = open_files(viewer, write_image(tmp_path / f"{other}.nii.gz"))
    assert patient_of(image) != patient_of(shown)


def test_the_image_of_a_case_that_is_not_open_joins_nobody(viewer, tmp_path):
    shown = open_case_named(viewer, tmp_path, "P")
    write_case_along(tmp_path, labels=False, name="P_1")
    image = open_files(viewer, write_image(tmp_path / "P_1_swan.nii.gz"))
    assert patient_of(image) != patient_of(shown)


@pytest.mark.parametrize("name", ["P1_swan", "P1.adc", "P1 perfusion"])
def test_an_image_of_its_name_joins_a_patient(viewer, tmp_path, name):
    shown = open_case_named(viewer, tmp_path, "P1")
    assert patient_of(open_files(viewer, write_image(tmp_path / f"{name}.nii.gz"))) == patient_of(
        shown
    )
