"""A mask that is named after another patient or another scan is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from smalltumor.data.case import Case
from smalltumor.data.identity.mask_names import check_case, check_patient, is_in_folder_of
from smalltumor.errors import CaseError
from smalltumor.geometry.grid import Grid


def case_named(name: str, folder: Path) -> Case:
    image = folder / f"{name}_t1ce.nii.gz"
    image.touch()
    grid = Grid((2, 2, 2), np.eye(4))
    return Case(name, {}, grid, paths={"t1ce": image})


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("P_visit1", "P_visit2_seg"),
        ("P_visit1", "P_visit10_seg"),
        ("BraTS-GLI-00001-000", "BraTS-GLI-00001-001-seg"),
        ("Anna_v1", "Bob_v1_seg"),
        ("Anna_v1", "Anna_v2_smalltumor"),
        ("P_1", "P_10_seg"),
        ("P_1", "P_1b_seg"),
        ("Ann", "Anna_seg"),
        ("P_visit1", "P_visit2"),
        ("P_visit1", "P_visit2_pred"),
        ("P_visit1", "P_visit2_reader1_seg"),
        ("sub-01_ses-1", "sub-01_ses-2_dseg"),
        ("BraTS-GLI-00001-000", "BraTS-GLI-00001-001"),
    ],
)
def test_a_mask_of_another_scan_is_refused(tmp_path, name, mask):
    case = case_named(name, tmp_path)
    with pytest.raises(CaseError, match=f"by its name, .*, not of {name}"):
        check_case(tmp_path / "elsewhere" / f"{mask}.nii.gz", case)


@pytest.mark.parametrize(
    "mask",
    [
        "P_visit1_seg",
        "P_visit1_smalltumor",
        "P_visit1_reader2_seg",
        "corrected",
        "seg",
        "P",
        "time_1",
    ],
)
def test_a_mask_of_this_scan_or_of_no_stated_one_is_accepted(tmp_path, mask):
    check_case(tmp_path / "elsewhere" / f"{mask}.nii.gz", case_named("P_visit1", tmp_path))


@pytest.mark.parametrize("name", ["Segmentation", "Segmentation_1", "tumour", "P_visit1"])
def test_the_format_of_3d_slicer_is_no_ending_that_states_a_case(tmp_path, name):
    check_case(tmp_path / "elsewhere" / f"{name}.seg.nrrd", case_named("P_visit1", tmp_path))


@pytest.mark.parametrize("name", ["P_visit2", "Q_visit1_seg"])
def test_a_mask_of_3d_slicer_that_is_named_after_another_is_refused(tmp_path, name):
    with pytest.raises(CaseError, match="not of P_visit1"):
        check_case(tmp_path / "elsewhere" / f"{name}.seg.nrrd", case_named("P_visit1", tmp_path))


def test_in_a_folder_of_several_cases_the_mask_of_another_is_refused(tmp_path):
    case_named("Bob", tmp_path)
    with pytest.raises(CaseError, match="not of Anna"):
        check_case(tmp_path / "Bob_seg.nii.gz", case_named("Anna", tmp_path))
    check_case(tmp_path / "reader2_seg.nii.gz", case_named("Anna", tmp_path))


@pytest.mark.parametrize("image", ["Anna_t1ce.nii.gz", "Anna_t1ce.nrrd", "Anna_flair.mha"])
@pytest.mark.parametrize("mask", ["Anna_seg.nii.gz", "anna_seg.nii.gz", "ANNA_smalltumor.nii.gz"])
@pytest.mark.parametrize("check", [check_patient, check_case])
def test_the_mask_of_a_neighbour_is_refused_in_any_format_and_case(tmp_path, image, mask, check):
    case = case_named("Berta", tmp_path)
    (tmp_path / image).touch()
    with pytest.raises(CaseError, match="not of Berta"):
        check(tmp_path / mask, case)


@pytest.mark.parametrize("check", [check_patient, check_case])
def test_the_mask_of_a_case_that_a_folder_renames_is_its_own(tmp_path, check):
    case = case_named("bob", tmp_path)
    case.name = "visit1_bob"
    check(tmp_path / "bob_seg.nii.gz", case)


def test_a_number_that_goes_on_is_another_patient(tmp_path):
    with pytest.raises(CaseError):
        check_patient(tmp_path / "elsewhere" / "P_10.nii.gz", case_named("P_1", tmp_path))


def test_a_mask_that_a_link_leads_to_lies_in_the_folder_of_the_case(tmp_path):
    folder = tmp_path / "Pat"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    case = case_named("Pat", folder)
    assert is_in_folder_of(tmp_path / "link" / "corrected.nii.gz", case)
    assert not is_in_folder_of(tmp_path / "corrected.nii.gz", case)
