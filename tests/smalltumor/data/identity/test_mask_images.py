"""An expert's mask that lies beside other images is not taken for one of this case."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from napari_cases import write_case_along
from smalltumor.data.identity.mask_images import check_not_of_another
from smalltumor.data.masks.case_mask import mask_beside, read_mask
from smalltumor.data.read_case import read_case
from smalltumor.errors import CaseError, OutputError


@pytest.fixture
def two_of_one_name(tmp_path):
    """The folders of two patients of one name and grid, with an expert's mask each."""
    folders = [write_case_along(tmp_path / side / "Anna") for side in ("here", "there")]
    for image in folders[1].glob("*[!g].nii.gz"):
        read = nib.load(image)
        nib.save(nib.Nifti1Image(np.asarray(read.dataobj) + 3, read.affine), image)
    return folders


def test_the_mask_of_another_patient_of_the_name_is_told_by_the_images_beside_it(two_of_one_name):
    here, there = two_of_one_name
    case = read_case(here)
    warning = read_mask(there / "Anna_seg.nii.gz", case, "brats2018").other_images
    assert warning.startswith(f"Anna_seg.nii.gz lies beside {there / 'Anna_t1ce.nii.gz'}, which is")
    for own in (
        read_mask(here / "Anna_seg.nii.gz", case, "brats2018"),
        mask_beside(case, "brats2018"),
    ):
        assert own.other_images == ""


@pytest.mark.parametrize("mask", ["seg", "manual_seg", "visit1_seg", "reader2"])
def test_a_mask_beside_other_images_that_is_not_named_after_the_case_is_refused(
    two_of_one_name, mask
):
    here, there = two_of_one_name
    for image in there.iterdir():
        image.rename(there / image.name.replace("Anna", "Bob_visit1"))
    (there / "Bob_visit1_seg.nii.gz").rename(there / f"{mask}.nii.gz")
    case = read_case(here)
    case.name = "Anna_visit1"
    with pytest.raises(CaseError, match=f"{mask}.nii.gz lies beside .*Bob_visit1_t1ce"):
        read_mask(there / f"{mask}.nii.gz", case, "brats2018")


def test_a_copy_of_the_case_and_a_folder_without_its_images_tell_nothing(two_of_one_name, tmp_path):
    here, there = two_of_one_name
    case = read_case(there)
    copied = write_case_along(tmp_path / "copy", name="Anna")
    for image in there.iterdir():
        (copied / image.name).write_bytes(image.read_bytes())
    (tmp_path / "masks").mkdir()
    alone = tmp_path / "masks" / "Anna_seg.nii.gz"
    alone.write_bytes((here / "Anna_seg.nii.gz").read_bytes())
    for mask in (copied / "Anna_seg.nii.gz", alone):
        assert read_mask(mask, case, "brats2018").other_images == ""


@pytest.mark.parametrize("name", ["P10_t1", "P1_t1ce", "P10_seg", "P10_smalltumor"])
def test_no_mask_is_named_like_an_image_or_like_one_of_another_case_in_the_folder(tmp_path, name):
    for case in ("P1", "P10"):
        write_case_along(tmp_path, name=case, labels=False)
    with pytest.raises(OutputError, match=r"is an image by its name|would be a mask of P10, whose"):
        check_not_of_another(tmp_path / f"{name}.nii.gz", "P1")
    for own in ("P1_seg", "P1_smalltumor", "P1_smalltumor_et", "mask", "out/P10_seg"):
        check_not_of_another(tmp_path / f"{own}.nii.gz", "P1")
