"""Stamps tell that a file was written."""

from __future__ import annotations

import os
import shutil
import time

import pytest
from smalltumor.files.file_stamp import stamp_of, written_stamp_of


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "mask.nii.gz"
    path.write_text("one")
    os.utime(path, ns=(1, 1))
    return path


@pytest.mark.parametrize("stamp", [stamp_of, written_stamp_of])
def test_a_file_has_another_stamp_when_it_was_written(path, stamp):
    before = stamp(path)
    assert stamp(path) == before
    path.write_text("two")
    assert stamp(path) != before
    path.unlink()
    assert stamp(path) is None


def test_a_copy_with_the_time_of_a_file_in_its_place_is_not_written(path):
    before, written = stamp_of(path), written_stamp_of(path)
    shutil.copy2(path, path.with_name("copy")).replace(path)
    assert stamp_of(path) != before and written_stamp_of(path) == written


def test_a_file_whose_time_was_set_back_has_another_stamp(path):
    before = stamp_of(path)
    time.sleep(0.05)  # before Linux 6.13, times of files move on every 10 ms
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    assert stamp_of(path) != before
