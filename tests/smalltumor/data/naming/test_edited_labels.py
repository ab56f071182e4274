"""Names of files of edited labels: none replaces another, and the newest is found."""

from __future__ import annotations

import os

import pytest
from failing_drives import let_drive_fail
from smalltumor.data.naming.export_names import new_edited_labels, newest_edited_labels


@pytest.mark.parametrize("case", ["P1", "P1_labels_edited", "P1_labels_edited_2"])
def test_the_first_free_name_is_proposed_also_for_edits_of_edits(tmp_path, case):
    names = []
    for _ in range(3):
        path = new_edited_labels(tmp_path, case)
        path.touch()
        names.append(path.name)
    assert names == [f"P1_labels_edited{end}.nii.gz" for end in ("", "_2", "_3")]


def test_the_newest_file_of_the_case_is_found_and_none_of_another(tmp_path):
    names = ("P1_labels_edited.nii.gz", "P1_labels_edited_2.nii", "P10_labels_edited.nii.gz")
    for time, name in zip((20, 10, 30), names, strict=True):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    assert newest_edited_labels(tmp_path, "P1") == tmp_path / names[0]
    assert newest_edited_labels(tmp_path, "P2") is None


def test_a_drive_that_fails_ends_the_search_for_a_name(tmp_path, monkeypatch):
    path = new_edited_labels(tmp_path, "P1")
    path.touch()
    let_drive_fail(monkeypatch, path)
    assert new_edited_labels(tmp_path, "P1") == path
    assert newest_edited_labels(tmp_path, "P1") is None
    assert newest_edited_labels(tmp_path / "gone", "P1") is None
