"""A folder that only says which visit it is names no case by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.data.identity.patients import patient_of, states_visit
from smalltumor.data.naming.file_names import name_of_folder
from smalltumor.data.naming.find_cases import find_case_files, find_cases
from smalltumor.data.naming.visit_names import is_visit_name, split_name


@pytest.mark.parametrize(
    "name",
    [
        *("pre", "Post", "pre-op", "postRT", "baseline", "week-000", "visit 2", "ses-01", "FU3"),
        *("2026-01-31", "timepoint_2", "nifti", "anat", "followup"),
    ],
)
def test_words_numbers_and_dates_of_visits_are_names_of_visits(name):
    assert is_visit_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("P7", "D", "v1", "M1", "T2", "Patient-001", "preston", "Weekes", "BraTS2021_00019"),
        *("sub-01", "scan_1", "20260131", "pre_P7", "Anna"),
    ],
)
def test_what_may_be_a_patient_is_no_name_of_a_visit(name):
    assert not is_visit_name(name)


def test_visits_of_two_patients_have_names_of_their_own_however_they_are_opened(tmp_path):
    for patient in ("P1", "P2"):
        folder = tmp_path / patient / "pre"
        folder.mkdir(parents=True)
        for name in ("t1", "t1ce", "t2", "flair", "seg"):
            (folder / f"{name}.nii.gz").touch()
    listed = find_cases(tmp_path)
    assert [case.name for case in listed] == ["P1_pre", "P2_pre"]
    alone = [find_case_files(tmp_path / patient / "pre") for patient in ("P1", "P2")]
    assert [case.name for case in alone] == [case.own_name for case in listed]
    assert [case.name for case in find_cases(tmp_path / "P1")] == ["P1_pre"]


VISITS = st.sampled_from(
    [
        *("pre", "post", "Post", "pre-op", "postRT", "intra_op", "baseline", "followup", "FU3"),
        *("initial", "second", "latest", "week-000", "week-000-1", "visit 2", "visit2", "ses-01"),
        *("2026-01-31", "2026.01.31", "timepoint_2", "month12", "follow-up_1"),
    ]
)
FILES = st.lists(st.sampled_from(["nifti", "anat", "raw", "registered"]), max_size=2, unique=True)


@given(
    patients=st.lists(
        st.sampled_from(["P1", "P2", "Anna", "Patient-001", "2041"]), min_size=2, max_size=2
    ),
    visits=st.tuples(VISITS, VISITS),
    files=FILES,
)
def test_the_name_of_a_visit_s_folder_tells_the_patient(patients, visits, files):
    names = [
        name_of_folder(Path("/data", patient, visit, *files))
        for patient, visit in zip(patients, visits, strict=True)
    ]
    assert [patient_of(name) for name in names] == patients
    assert all(states_visit(name) for name in names)


def test_folders_of_files_below_those_of_visits_are_named_once(tmp_path):
    for folder in ("P1/pre/nifti", "P2/pre/nifti", "x/P3/pre", "y/P3/pre"):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("t1", "t1ce", "t2", "flair"):
            (tmp_path / folder / f"{name}.nii.gz").touch()
    assert [case.name for case in find_cases(tmp_path)] == [
        *("P1_pre_nifti", "P2_pre_nifti", "x_P3_pre", "y_P3_pre")
    ]
    assert find_case_files(tmp_path / "P1/pre/nifti").name == "P1_pre_nifti"


def test_a_folder_at_the_root_has_its_own_name():
    assert name_of_folder(Path("/pre")) == "pre"
    assert name_of_folder(Path("/data/P7")) == "P7"


@pytest.mark.parametrize(
    ("name", "patient", "visit"),
    [
        ("visit1_P7", "P7", "visit1"),
        ("2026-01-31_Patient-001", "Patient-001", "2026-01-31"),
        ("visit2_P7_nifti", "P7", "visit2"),
        ("baseline_001", "001", "baseline"),
        ("scan_012_MGH", "scan_012_MGH", ""),
        ("visit_1_2", "visit_1_2", ""),
        ("baseline_edited", "baseline_edited", ""),
        ("pre_P7", "pre_P7", ""),
        ("baseline_visit1", "baseline_visit1", ""),
    ],
)
def test_the_visit_may_be_in_front_as_in_the_names_of_several_folders(name, patient, visit):
    assert split_name(name) == (patient, visit)
