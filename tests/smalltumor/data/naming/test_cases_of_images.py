"""The images of a folder are listed again whenever others may have come."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from smalltumor.data.naming import file_names
from smalltumor.data.naming.file_names import cases_of_images
from smalltumor.files import change_time


@pytest.fixture
def listed(monkeypatch) -> list[Path]:
    """The folders that are listed."""
    listed: list[Path] = []
    entries = file_names.visible_entries
    monkeypatch.setattr(
        file_names, "visible_entries", lambda path: listed.append(path) or entries(path)
    )
    return listed


def test_an_image_is_found_that_comes_within_the_same_tick_of_the_clock(tmp_path, monkeypatch):
    monkeypatch.setattr(change_time, "_TICK_NS", 10**12)  # however slow the machine
    (tmp_path / "Anna_t1ce.nii.gz").touch()
    before = tmp_path.stat()
    assert cases_of_images(tmp_path) == {"Anna"}
    (tmp_path / "Eva_t1ce.nii.gz").touch()
    os.utime(tmp_path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert cases_of_images(tmp_path) == {"Anna", "Eva"}


def test_a_folder_that_has_not_changed_for_a_while_is_listed_once(tmp_path, listed):
    (tmp_path / "Anna_t1ce.nii.gz").touch()
    os.utime(tmp_path, (1e9, 1e9))
    assert cases_of_images(tmp_path) == cases_of_images(tmp_path) == {"Anna"}
    assert listed == [tmp_path]
    (tmp_path / "Eva_t1ce.nii.gz").touch()
    assert cases_of_images(tmp_path) == {"Anna", "Eva"}
