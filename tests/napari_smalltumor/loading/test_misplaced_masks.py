"""A mask that is mirrored or another patient's is said when it is opened with its images."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor import notify
from napari_smalltumor.layers.masks.region_masks import mask_warnings_among
from napari_smalltumor.layers.patient import layers_of_patient
from napari_smalltumor.loading.jobs.load import add_layers
from napari_smalltumor.loading.labels.schemes import apply_scheme
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.loading.reader import layers_of_file
from napari_smalltumor.patients.active_patient import active_patient

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def folder(sample_folder, tmp_path):
    return shutil.copytree(sample_folder, tmp_path / "BraTS2021_00019")


@pytest.fixture
def warned(monkeypatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr(notify, "warn", shown.append)
    return shown


def test_masks_in_their_place_are_opened_without_a_word(folder, warned):
    open_case(ViewerModel(), folder)
    assert warned == []


def test_an_experts_mask_that_is_mirrored_is_said(folder, warned):
    (path,) = folder.glob("*_seg.nii.gz")
    image = nib.load(path)
    flipped = np.asarray(image.dataobj)[::-1]
    nib.save(nib.Nifti1Image(flipped, image.affine), path)
    viewer = ViewerModel()
    open_case(viewer, folder)
    (text,) = warned
    assert text.startswith(f"{path.name}: the mask seems to be mirrored left to right")
    assert mask_warnings_among(viewer.layers) == [text]  # as the docks say


def test_regions_that_were_saved_mirrored_are_said(folder, warned):
    case = read_case(folder)
    classes, _ = read_labels(case)
    mirrored = Segmentation(case.name, np.flip(classes, 0).copy(), case.grid)
    path = write_segmentation(mirrored, folder / f"{case.name}_smalltumor.nii.gz")
    open_case(ViewerModel(), folder)
    (text,) = warned
    assert text.startswith(f"{path.name}: the mask seems to be mirrored left to right")


def mirrored_mask(folder: Path, path: Path) -> Path:
    """The expert's mask of a folder, mirrored, in a file elsewhere."""
    image = nib.load(next(folder.glob("*_seg.nii.gz")))
    path.parent.mkdir()
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[::-1], image.affine), path)
    return path


@pytest.mark.parametrize("order", ["images first", "mask first"])
def test_a_mirrored_mask_that_is_opened_by_itself_is_said_when_it_joins_its_patient(
    folder, tmp_path, warned, order
):
    name = f"{folder.name}_seg.nii.gz"
    opened = [folder, mirrored_mask(folder, tmp_path / "reader2" / name)]
    (folder / name).unlink()
    viewer = ViewerModel()
    for path in opened if order == "images first" else opened[::-1]:
        open_case_or_file(viewer, path)
    (text,) = warned
    assert text.startswith(f"{folder.name} labels: the mask seems to be mirrored left to right")
    assert mask_warnings_among(viewer.layers) == [text]


def test_a_mask_whose_name_states_no_patient_is_checked_too(folder, tmp_path, warned):
    viewer = ViewerModel()
    open_case_or_file(viewer, folder)
    open_case_or_file(viewer, mirrored_mask(folder, tmp_path / "masks" / "corrected.nii.gz"))
    warned.clear()
    apply_scheme(viewer, viewer.layers["corrected"], SCHEMES["brats2018"])
    (text,) = warned
    assert text.startswith("corrected labels: the mask seems to be mirrored left to right")


def test_a_mask_in_its_place_that_joins_its_patient_is_not_doubted(folder, tmp_path, warned):
    (tmp_path / "reader2").mkdir()
    name = f"{folder.name}_seg.nii.gz"
    (folder / name).rename(tmp_path / "reader2" / name)
    viewer = ViewerModel()
    for path in (folder, tmp_path / "reader2" / name):
        open_case_or_file(viewer, path)
    assert len(layers_of_patient(viewer.layers, active_patient(viewer).current)) == 5
    assert warned == []


@pytest.mark.parametrize("order", ["images first", "mask first"])
def test_a_mask_of_the_patients_name_on_another_grid_is_not_judged(folder, tmp_path, warned, order):
    name = f"{folder.name}_seg.nii.gz"
    image = nib.load(folder / name)
    coarse = nib.Nifti1Image(np.asarray(image.dataobj)[::2, ::2, ::2], image.affine)
    moved = image.affine.copy()
    moved[:3, 3] += 5  # the same shape, elsewhere
    (tmp_path / "reader2").mkdir()
    path = tmp_path / "reader2" / name
    nib.save(nib.Nifti1Image(np.roll(np.asarray(image.dataobj), 5, axis=(0, 1, 2)), moved), path)
    (folder / name).unlink()
    viewer = ViewerModel()
    for each in [folder, path] if order == "images first" else [path, folder]:
        open_case_or_file(viewer, each)
    (tmp_path / "coarse").mkdir()
    nib.save(coarse, tmp_path / "coarse" / name)
    open_case_or_file(viewer, tmp_path / "coarse" / name)
    assert [text for text in warned if "mirrored" in text] == []


def open_case_or_file(viewer: ViewerModel, path: Path) -> None:
    if path.is_dir():
        open_case(viewer, path)
    else:
        add_layers(viewer, layers_of_file(path, viewer.layers))
