"""The visit of a case is in its name, else in the folders of its images."""

from __future__ import annotations

from pathlib import Path

import pytest
from smalltumor.data.identity.visits import (
    is_name_of,
    name_with_visit,
    visit_in_name,
    visit_of_folders,
)


@pytest.mark.parametrize(
    ("name", "visit"),
    [
        ("P7", ""),
        ("P7_visit1", "visit1"),
        ("visit1_P7", "visit1"),
        ("UPENN-GBM-00003_11", "11"),
        ("sub-01_ses-2", "ses-2"),
        ("P1_pre_nifti", "pre_nifti"),
        ("2_visit2", "visit2"),  # the number of the patient is that of the visit
        ("7_week_7", "week_7"),
        ("visit2_P2", "visit2"),
    ],
)
def test_the_visit_is_what_a_name_has_beside_that_of_the_patient(name, visit):
    assert visit_in_name(name) == visit


@pytest.mark.parametrize(
    ("folder", "visit"),
    [
        ("/data/visit1/P7", "visit1"),
        ("/data/visit1/P7/nifti", "visit1"),
        ("/data/P7/visit1/nifti", "visit1"),
        ("/data/2026-01-31/P7", "2026-01-31"),
        ("/data/P7", ""),
        ("/data/visit1/site2/P7", ""),
        ("/P7", ""),
        ("/data/visit1/P7/P7", ""),
    ],
)
def test_the_visit_is_stated_by_a_folder_around_that_of_the_patient_or_within_it(folder, visit):
    assert visit_of_folders("P7", Path(folder)) == visit


def test_without_a_folder_no_visit_is_stated():
    assert visit_of_folders("P7", None) == ""


@pytest.mark.parametrize(
    ("name", "folder", "for_files"),
    [
        ("P7", "/data/visit1/P7", "P7_visit1"),
        ("P7_week3", "/data/visit1/P7_week3", "P7_week3"),
        ("P7", "/data/P7", "P7"),
    ],
)
def test_names_of_files_have_the_visit_once(name, folder, for_files):
    assert name_with_visit(name, Path(folder)) == for_files
    assert is_name_of(for_files, name, Path(folder)) and is_name_of(name, name, Path(folder))


def test_the_name_of_another_visit_is_not_that_of_a_case():
    assert not is_name_of("P7_visit2", "P7", Path("/data/visit1/P7"))
    assert not is_name_of("P8", "P7", Path("/data/visit1/P7"))
