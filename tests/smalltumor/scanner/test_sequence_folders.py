"""Folders named as sequences, told from folders of patients."""

from __future__ import annotations

import pytest
from smalltumor.scanner.sequence_folders import is_folder_of_sequences


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ("T1/image.nii.gz T1CE/image.nii.gz T2/image.nii.gz FLAIR/image.nii.gz", True),
        ("t1w/P1_t1.nii t1w_post/P1_t1_gd.nii", True),
        ("T1/a.mha T1CE/a.mha DWI/c.mha DWI/d.mha notes/readme.txt", True),
        ("T1/Anna.nii.gz T1CE/Bert.nii.gz T2/Carl.nii.gz FLAIR/Dora.nii.gz", False),
        ("T1/001_t1.nii.gz T1CE/002_t1ce.nii.gz", False),
        ("T1/image.nii.gz T2/image.nii.gz", False),
        ("T1CE/image.nii.gz", False),
        ("T1CE/image.nii.gz T1_post/image.nii.gz", False),
        ("T1/1.nii T1CE/1.nii T1CE/2.nii", False),
        ("T1/1.nii T1CE/1.nii other.nii", False),
        ("P1/image.nii.gz P2/image.nii.gz", False),
        ("", False),
    ],
)
def test_sequences_are_told_by_the_names_of_their_folders(tmp_path, files, expected):
    for file in files.split():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert is_folder_of_sequences(tmp_path) == expected


def test_a_folder_that_does_not_exist_is_none(tmp_path):
    assert not is_folder_of_sequences(tmp_path / "missing")
