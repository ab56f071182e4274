"""A mask that is mirrored or another patient's is said when it is opened with its images."""

from __future__ import annotations

import shutil

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation

from napari_smalltumor import notify
from napari_smalltumor.loading.open_case import open_case


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
    open_case(ViewerModel(), folder)
    (text,) = warned
    assert text.startswith(f"{path.name}: the mask seems to be mirrored left to right")


def test_regions_that_were_saved_mirrored_are_said(folder, warned):
    case = read_case(folder)
    classes, _ = read_labels(case)
    mirrored = Segmentation(case.name, np.flip(classes, 0).copy(), case.grid)
    path = write_segmentation(mirrored, folder / f"{case.name}_smalltumor.nii.gz")
    open_case(ViewerModel(), folder)
    (text,) = warned
    assert text.startswith(f"{path.name}: the mask seems to be mirrored left to right")
