"""Temporary files of killed processes are removed, and those that are being written stay."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import psutil
import pytest
from smalltumor.files.atomic import atomic_path
from smalltumor.files.transactions import temporary_files, temporary_names
from smalltumor.files.transactions.temporary_files import remove_temporary_files
from smalltumor.files.transactions.temporary_names import temporary_path
from temporary_files import left_by_killed_process, of_another_computer


def set_age(path: Path, seconds: float) -> None:
    changed = time.time() - seconds
    os.utime(path, (changed, changed))


def test_a_killed_process_of_this_computer_leaves_nothing(tmp_path):
    path = left_by_killed_process(tmp_path, ".nii.gz")
    assert path.match(temporary_names.TEMPORARY_FILES) and path.name.endswith(".part.nii.gz")
    remove_temporary_files(tmp_path)
    assert not path.exists()


def test_what_a_process_is_writing_stays(tmp_path):
    with atomic_path(tmp_path / "mask.nii") as temporary:
        temporary.write_bytes(b"whole")
        remove_temporary_files(tmp_path)
    assert (tmp_path / "mask.nii").read_bytes() == b"whole"


def test_a_later_process_with_the_number_of_the_writer_keeps_no_file(tmp_path):
    path = temporary_path(tmp_path / "mask.nii")
    path.write_bytes(b"half")
    set_age(path, 10 * 24 * 3600)
    remove_temporary_files(tmp_path)
    assert not path.exists()


@pytest.mark.parametrize(("seconds", "stays"), [(0, True), (60, True), (3600, False)])
def test_a_file_of_another_computer_stays_until_it_has_not_changed_for_long(
    tmp_path, seconds, stays
):
    other = of_another_computer(left_by_killed_process(tmp_path))
    earlier_version = tmp_path / ".smalltumor-0123456789ab.part"
    earlier_version.write_bytes(b"half")
    for path in (other, earlier_version):
        set_age(path, seconds)
    remove_temporary_files(tmp_path)
    assert (other.exists(), earlier_version.exists()) == (stays, stays)


def test_the_age_is_told_by_the_clock_of_the_drive(tmp_path, monkeypatch):
    path = of_another_computer(left_by_killed_process(tmp_path))
    monkeypatch.setattr(time, "time", lambda: path.stat().st_mtime + 3600)
    remove_temporary_files(tmp_path)
    assert path.exists()


def test_what_a_process_is_writing_stays_on_a_drive_whose_clock_is_late(tmp_path, monkeypatch):
    late = psutil.Process().create_time() - 3600
    monkeypatch.setattr(temporary_files, "drive_time", lambda folder: late)
    with atomic_path(tmp_path / "mask.nii") as temporary:
        temporary.write_bytes(b"whole")
        os.utime(temporary, (late, late))
        remove_temporary_files(tmp_path)
    assert (tmp_path / "mask.nii").read_bytes() == b"whole"


def test_what_cannot_be_removed_keeps_no_other_file(tmp_path):
    folder = tmp_path / ".smalltumor-0123456789ab.part"
    folder.mkdir()
    set_age(folder, 3600)
    left = [left_by_killed_process(tmp_path, f".{number}") for number in range(3)]
    remove_temporary_files(tmp_path)
    assert folder.is_dir() and not any(path.exists() for path in left)


def test_on_a_full_drive_only_files_of_ended_processes_of_this_computer_are_removed(
    tmp_path, monkeypatch
):
    def fail(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))

    own = left_by_killed_process(tmp_path)
    other = of_another_computer(left_by_killed_process(tmp_path))
    written = temporary_path(tmp_path / "mask.nii")
    written.write_bytes(b"half")
    for path in (own, other, written):
        set_age(path, 10 * 24 * 3600)
    monkeypatch.setattr(temporary_files, "drive_time", fail)
    remove_temporary_files(tmp_path)
    assert [path.exists() for path in (own, other, written)] == [False, True, True]


def test_other_files_stay(tmp_path):
    (tmp_path / ".notes.part").write_bytes(b"of the user")
    (tmp_path / "scan.part1.nii.gz").write_bytes(b"of the user")
    remove_temporary_files(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
