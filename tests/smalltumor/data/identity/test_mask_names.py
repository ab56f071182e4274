"""A mask that is named after another patient or another scan is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from smalltumor.data.case import Case
from smalltumor.data.identity.mask_names import (
    check_case,
    check_patient,
    is_in_folder_of,
    other_case_text,
)
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
        ("P_1", "2_seg"),
        ("case_12", "case13_seg"),
        ("case_12", "13_seg"),
        ("Anna_visit1", "visit2_seg"),
        ("BraTS-GLI-00005-000", "00006-000-seg"),
        ("P7", "Anna_smalltumor"),
        ("P7", "Anna_visit2_seg"),
        ("P7", "Anna_seg"),
        ("P_01", "Other_seg"),
        ("P7", "Anna_final_seg"),
        ("case_12", "model_case13_seg"),
        ("Ann", "Anna_seg"),
        ("P_visit1", "P_visit2"),
        ("P_visit1", "P_visit2_pred"),
        ("P_visit1", "P_visit2_reader1_seg"),
        ("sub-01_ses-1", "sub-01_ses-2_dseg"),
        ("BraTS-GLI-00001-000", "BraTS-GLI-00001-001"),
        ("P1_pre", "P1_post_seg"),
        ("P1_pre", "Bob_post_seg"),
        ("P1_pre", "initial_seg"),
        ("P1_pre", "post_seg"),
        ("P1_2020-01-05", "P1_2020-06-12_seg"),
        ("P1_baseline", "P1_initial_seg"),
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


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("P1_pre", "pre_seg"),
        ("P1_pre", "P1_seg"),
        ("P1_pre", "P1_pre_post_seg"),
        ("P1_baseline", "P1_baseline_v2"),
        ("P1", "P1_post_seg"),
        ("P1", "P1_first_seg"),
        ("P1", "initial_seg"),
        ("P7_pre", "model_v2_seg"),
    ],
)
def test_words_for_a_version_of_a_mask_are_visits_only_among_visits(tmp_path, name, mask):
    check_case(tmp_path / "elsewhere" / f"{mask}.nii.gz", case_named(name, tmp_path))


BIDS_LABELS = [
    ("UPENN-GBM-00003_11", "sub-UPENNGBM00003_ses-11"),
    ("BraTS-GLI-00005-100", "sub-BraTSGLI00005_ses-100"),
    ("BraTS2021_00005", "sub-BraTS202100005"),
    ("Anna_visit2", "sub-Anna_ses-visit2"),
    ("Anna_visit2", "sub-Anna"),
    ("PAT_1_12", "sub-PAT112"),
]


@pytest.mark.parametrize(("name", "mask"), BIDS_LABELS)
def test_a_mask_with_the_bids_labels_of_a_case_is_accepted(tmp_path, name, mask):
    case, path = case_named(name, tmp_path), tmp_path / f"{mask}_seg-tumor_dseg.nii.gz"
    for where in (path, tmp_path / "elsewhere" / path.name):
        check_case(where, case)
    assert not other_case_text(path, case)


@pytest.mark.parametrize(
    ("name", "mask", "patient"),
    [
        ("UPENN-GBM-00003_11", "sub-UPENNGBM00003_ses-21", "UPENN-GBM-00003"),
        ("UPENN-GBM-00003_11", "sub-UPENNGBM00004_ses-11", ""),
        ("PAT_1_12", "sub-PAT112", "PAT_11_2"),
        ("Anna", "sub-Anna_ses-visit2", "Anna"),
    ],
)
def test_a_mask_with_other_bids_labels_or_of_another_recorded_patient_is_refused(
    tmp_path, name, mask, patient
):
    (tmp_path / f"{mask}_seg-tumor_dseg.json").write_text(f'{{"Patient": "{patient}"}}')
    (tmp_path / "images").mkdir()
    case = case_named(name, tmp_path / "images")
    path = tmp_path / f"{mask}_seg-tumor_dseg.nii.gz"
    with pytest.raises(CaseError, match=f"by its name, .*, not of {name}"):
        check_case(path, case)
    if patient and patient in name:
        check_patient(path, case)


@pytest.mark.parametrize("check", [check_patient, check_case])
@pytest.mark.parametrize("mask", ["sub-PAT112_seg", "sub-PAT112_seg-tumor_dseg"])
@pytest.mark.parametrize("images", ["elsewhere", "images"])
def test_a_mask_beside_images_of_its_name_is_theirs_unless_it_is_recorded(
    tmp_path, check, mask, images
):
    for folder in ("images", "elsewhere"):
        (tmp_path / folder).mkdir()
    case = case_named("PAT_1_12", tmp_path / "images")
    case_named("sub-PAT112", tmp_path / images)
    path = tmp_path / "elsewhere" / f"{mask}.nii.gz"
    with pytest.raises(CaseError, match="is a mask of sub-PAT112, not of PAT_1_12"):
        check(path, case)
    path.with_name(f"{mask}.json").write_text('{"Patient": "PAT_1_12"}')
    check(path, case)


def test_a_mask_among_the_images_of_two_cases_with_its_labels_is_doubtful(tmp_path):
    case = case_named("PAT_1_12", tmp_path)
    path = tmp_path / "sub-PAT112_seg.nii.gz"
    assert not other_case_text(path, case)
    case_named("sub-PAT112", tmp_path)
    assert other_case_text(path, case).startswith(f"by its name, {path.name} is a mask of ")


@pytest.mark.parametrize("name", ["Segmentation", "Segmentation_1", "tumour", "P_visit1"])
def test_the_format_of_3d_slicer_is_no_ending_that_states_a_case(tmp_path, name):
    check_case(tmp_path / "elsewhere" / f"{name}.seg.nrrd", case_named("P_visit1", tmp_path))


@pytest.mark.parametrize("name", ["P_visit2", "Q_visit1_seg"])
def test_a_mask_of_3d_slicer_that_is_named_after_another_is_refused(tmp_path, name):
    with pytest.raises(CaseError, match="not of P_visit1"):
        check_case(tmp_path / "elsewhere" / f"{name}.seg.nrrd", case_named("P_visit1", tmp_path))


@pytest.mark.parametrize("name", ["P7", "case_12", "P7_pre", "BraTS2021_00000", "Anna_visit1"])
@pytest.mark.parametrize(
    "word",
    [
        "reader2",
        "final",
        "corrected",
        "epoch100",
        "fold0",
        "v2",
        "model_v2",
        "2nd_reader",
        "nnunet",
    ],
)
@pytest.mark.parametrize("check", [check_patient, check_case])
def test_a_word_that_names_nobody_refuses_no_mask_of_another_folder(tmp_path, name, word, check):
    check(tmp_path / "elsewhere" / f"{word}_seg.nii.gz", case_named(name, tmp_path))


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("case_12", "case12"),
        ("case_12", "012"),
        ("Anna_visit1", "visit01"),
        ("BraTS-GLI-00005-000", "00005-000"),
        ("P7", "2024"),
    ],
)
def test_the_end_of_a_name_may_be_spelled_differently(tmp_path, name, mask):
    check_case(tmp_path / "elsewhere" / f"{mask}_seg.nii.gz", case_named(name, tmp_path))


@pytest.mark.parametrize("check", [check_patient, check_case])
@pytest.mark.parametrize("images", ["Anna/Eva", "Eva/Eva", "Eva/"])
def test_the_mask_of_a_case_whose_images_are_known_is_refused(tmp_path, images, check):
    for folder in ("Anna", "Eva"):
        (tmp_path / folder).mkdir()
    case = case_named("Anna", tmp_path / "Anna")
    mask = tmp_path / "Anna" / "Eva_seg.nii.gz"
    check(mask, case)
    folder, _, name = images.partition("/")
    (tmp_path / folder / f"{name}_t1ce.nii.gz".lstrip("_")).touch()
    with pytest.raises(CaseError, match="is a mask of Eva, not of Anna"):
        check(mask, case)


def test_masks_beside_a_case_of_a_link_are_its_own(tmp_path):
    (tmp_path / "Pat").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "Pat", target_is_directory=True)
    (tmp_path / "link" / "t1ce.nii.gz").touch()
    case = case_named("other", tmp_path)
    case.paths = {"t1ce": tmp_path / "link" / "t1ce.nii.gz"}
    check_patient(tmp_path / "link" / "Pat_seg.nii.gz", case)


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
    assert other_case_text(tmp_path / "bob_seg.nii.gz", case) == ""


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("OtherName", "Adams_seg"),
        ("P_visit1", "P_visit2_seg"),
        ("case_12", "case_13_seg"),
        ("UPENN-GBM-00003_11", "UPENN-GBM-00003_21_segm"),
        ("UPENN-GBM-00003_11", "sub-UPENNGBM00003_ses-21_seg"),
        ("Anna_visit1", "sub-Anna_ses-visit2_seg-tumor_dseg"),
    ],
)
def test_a_mask_beside_the_images_with_the_name_of_another_is_doubtful(tmp_path, name, mask):
    path, case = tmp_path / f"{mask}.nii.gz", case_named(name, tmp_path)
    assert other_case_text(path, case).startswith(f"by its name, {path.name} is a mask of ")


@pytest.mark.parametrize(
    "mask", ["P1_seg", "p1_seg", "P1_post_seg", "P1_reader2_seg", "seg", "reader2_seg", "final_seg"]
)
def test_a_mask_beside_the_images_with_their_name_or_no_name_is_not_doubtful(tmp_path, mask):
    assert other_case_text(tmp_path / f"{mask}.nii.gz", case_named("P1", tmp_path)) == ""


@pytest.mark.parametrize(
    ("folder", "images", "name"),
    [(".", "Anna_visit2", "Anna_v1"), ("visit2/Anna", "Anna", "Anna")],
)
def test_the_session_of_a_mask_may_be_that_of_the_images_or_their_folder(
    tmp_path, folder, images, name
):
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    case = case_named(images, tmp_path / folder)
    case.name = name
    assert not other_case_text(tmp_path / folder / "sub-Anna_ses-visit2_seg.nii.gz", case)
    assert other_case_text(tmp_path / folder / "sub-Anna_ses-visit3_seg.nii.gz", case)


def test_beside_a_scan_that_states_no_visit_a_mask_may_state_its_session(tmp_path):
    case = case_named("Anna", tmp_path)
    assert not other_case_text(tmp_path / "sub-Anna_ses-visit2_seg.nii.gz", case)


def test_images_without_a_name_leave_the_name_to_their_mask(tmp_path):
    case = case_named("folder", tmp_path)
    case.paths = {"t1ce": tmp_path / "t1ce.nii.gz"}
    assert other_case_text(tmp_path / "Pat_seg.nii.gz", case) == ""


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


def test_a_mask_may_have_the_visit_that_the_folder_of_its_case_states(tmp_path):
    folder = tmp_path / "visit1" / "P7"
    folder.mkdir(parents=True)
    case = case_named("P7", folder)
    for ending in ("smalltumor", "seg"):
        check_case(tmp_path / "masks" / f"P7_visit1_{ending}.nii.gz", case)
        with pytest.raises(CaseError, match="not of P7"):
            check_case(tmp_path / "masks" / f"P7_visit2_{ending}.nii.gz", case)
