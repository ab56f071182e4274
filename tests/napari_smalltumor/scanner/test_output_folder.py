"""A prepared case is written to a new folder outside the scan."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_smalltumor.scanner.output_folder import folder_problem, suggested_folder


@pytest.fixture
def scan(tmp_path) -> Path:
    folder = tmp_path / "patient" / "DICOM"
    folder.mkdir(parents=True)
    return folder


def test_the_folder_that_is_suggested_is_new_and_beside_the_scan(scan):
    first = suggested_folder(scan, "case")
    assert first == scan.parent / "prepared" / "case"
    assert folder_problem(str(first), scan) == ""
    first.mkdir(parents=True)
    assert suggested_folder(scan, "case").name == "case_2"


def test_the_scan_itself_is_never_written_to(scan, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(scan)
    for folder in (scan, scan / "new", scan / ".." / "DICOM" / "new", link / "new"):
        assert "lies within the scan" in folder_problem(str(folder), scan)


def test_a_folder_with_files_is_refused(scan, tmp_path):
    (tmp_path / "file").write_text("")
    assert "is not empty" in folder_problem(str(tmp_path), scan)
    assert "is a file" in folder_problem(str(tmp_path / "file" / "new"), scan)


@pytest.mark.parametrize("text", ["", "  "])
def test_a_folder_is_needed(scan, text):
    assert folder_problem(text, scan) == "Choose a folder for the prepared case."


def test_a_relative_path_is_refused(scan):
    assert "full path" in folder_problem("case", scan)
