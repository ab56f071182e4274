"""The masks that this program exported beside the images of a case are found again."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari_cases import MODALITIES, write_case_along
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.masks.case_mask import mask_beside
from smalltumor.data.masks.exported_masks import exported_masks_of
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_regions, write_segmentation


def write_unnamed(folder: Path) -> Path:
    """Write a case whose images have no name of their own, such as ``t1ce.nii.gz``."""
    write_case_along(folder, labels=False, name="x")
    for modality in MODALITIES:
        (folder / f"x_{modality}.nii.gz").rename(folder / f"{modality}.nii.gz")
    return folder


def save_mask(folder: Path, name: str = "", *, per_region: bool = False) -> list[Path]:
    """Save a mask of the images of a folder beside them, under a name of the case."""
    case = read_case(folder)
    mask = Segmentation(
        case.name,
        np.full(case.grid.shape, 3, np.uint8),
        case.grid,
        case.header,
        made_of=digests_of_images(case),
    )
    path = folder / f"{name or case.name}_smalltumor.nii.gz"
    return write_regions(mask, path) if per_region else [write_segmentation(mask, path)]


@pytest.mark.parametrize("per_region", [False, True])
def test_masks_are_found_when_the_folder_above_is_renamed(tmp_path, per_region):
    saved = save_mask(write_unnamed(tmp_path / "P1" / "pre"), per_region=per_region)
    (tmp_path / "P1").rename(tmp_path / "Patient1")
    case = read_case(tmp_path / "Patient1" / "pre")
    found = [file.path for file in exported_masks_of(case)]
    assert case.name == "Patient1_pre"
    assert sorted(path.name for path in found) == sorted(path.name for path in saved)
    assert mask_beside(case).classes.any()


def test_the_mask_of_the_name_goes_before_one_of_an_earlier_name(tmp_path):
    folder = write_unnamed(tmp_path / "P1" / "pre")
    save_mask(folder, "Earlier_pre")
    (own,) = save_mask(folder)
    assert [file.path for file in exported_masks_of(read_case(folder))] == [own]


def test_a_mask_of_other_images_is_never_the_cases_own(tmp_path):
    folder = write_unnamed(tmp_path / "P1" / "pre")
    save_mask(folder, "P9_pre")
    image = nib.load(folder / "t1ce.nii.gz")  # on the same grid
    other = nib.Nifti1Image(np.asarray(image.dataobj) + np.uint8(1), image.affine)
    nib.save(other, folder / "t1ce.nii.gz")
    assert exported_masks_of(read_case(folder)) == []


def test_a_mask_that_records_no_images_is_not_the_cases_own(tmp_path):
    folder = write_unnamed(tmp_path / "P1" / "pre")
    (saved,) = save_mask(folder, "P9_pre")
    mask = nib.load(saved)
    mask.header.extensions.clear()
    nib.save(mask, folder / "plain.nii.gz")
    (folder / "plain.nii.gz").replace(saved)
    assert exported_masks_of(read_case(folder)) == []


def test_of_two_masks_none_is_chosen(tmp_path):
    folder = write_unnamed(tmp_path / "P1" / "pre")
    save_mask(folder, "P8_pre")
    save_mask(folder, "P9_pre")
    assert exported_masks_of(read_case(folder)) == []


def test_images_with_a_name_of_their_own_keep_to_it(tmp_path):
    folder = write_case_along(tmp_path / "P1", labels=False)
    save_mask(folder, "P9")
    assert exported_masks_of(read_case(folder)) == []


def test_a_mask_with_the_visit_of_the_folder_is_the_cases_own(tmp_path):
    folder = write_case_along(tmp_path / "visit1" / "P7", labels=False)
    save_mask(folder, "P7_visit2")
    (with_visit,) = save_mask(folder, "P7_visit1")
    assert [file.path for file in exported_masks_of(read_case(folder))] == [with_visit]
    (saved,) = save_mask(folder)
    assert [file.path for file in exported_masks_of(read_case(folder))] == [saved]
