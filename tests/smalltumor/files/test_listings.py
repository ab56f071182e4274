"""Files are found in listings of their folders, and below a folder."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.errors import CaseError
from smalltumor.files import listings
from smalltumor.files.listings import FolderListings, entries, may_exist, walk_once
from smalltumor.scanner.dicom.files import holds_dicom
from smalltumor.scanner.studies import find_studies


def test_only_files_of_a_folder_that_can_be_listed_exist(tmp_path):
    (tmp_path / "mask.nii.gz").touch()
    (tmp_path / "folder.nii.gz").mkdir()
    (tmp_path / "link.nii.gz").symlink_to(tmp_path / "mask.nii.gz")
    (tmp_path / "dangling.nii.gz").symlink_to(tmp_path / "gone.nii.gz")
    found = FolderListings()
    for name in ("mask", "folder", "link", "dangling", "none"):
        path = tmp_path / f"{name}.nii.gz"
        assert found.is_file(path) == path.is_file()
    assert not found.is_file(tmp_path / "none" / "mask.nii.gz")


def test_a_walk_enters_linked_folders_and_each_folder_once(tmp_path):
    for name in ("a", "b", "left out"):
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "2.nii").touch()
    (tmp_path / "elsewhere" / "1.nii").touch()
    (tmp_path / "data" / "a" / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "data" / "b" / "up").symlink_to(tmp_path / "data", target_is_directory=True)
    walked = {}
    for folder, folders, files in walk_once(tmp_path / "data"):
        folders[:] = sorted(set(folders) - {"left out"})
        walked[folder.relative_to(tmp_path / "data").as_posix()] = files
    assert walked == {".": [], "a": [], "a/link": ["1.nii", "2.nii"], "b": []}


def test_a_folder_keeps_its_path_when_a_link_to_it_is_added_before_it(tmp_path):
    (tmp_path / "patient07" / "visit1").mkdir(parents=True)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "current").symlink_to("patient07", target_is_directory=True)
    (tmp_path / "a" / "b" / "c").symlink_to(tmp_path / "patient07", target_is_directory=True)
    walked = {folder.relative_to(tmp_path).as_posix() for folder, _, _ in walk_once(tmp_path)}
    assert walked == {".", "patient07", "patient07/visit1", "a", "a/b"}


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """Folders of a drive; that of the name which is given cannot be listed."""

    def lock(name: str):
        for folder in ("P1", name):
            (tmp_path / folder).mkdir()
        (tmp_path / "P1" / "t1ce.nii.gz").touch()
        scandir = os.scandir

        def refuse(path):
            if Path(path).name == name:
                raise PermissionError(13, "Permission denied", os.fspath(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        return tmp_path

    return lock


def test_a_folder_that_cannot_be_listed_is_refused_and_not_left_out(locked):
    data = locked("P2")
    with pytest.raises(CaseError, match=r"P2 cannot be read: Permission denied"):
        find_cases(data)


def test_entries_of_a_folder_that_cannot_be_listed_are_not_none(locked):
    data = locked("P2")
    assert entries(data) == [data / "P1", data / "P2"]
    assert entries(data / "none") == []
    with pytest.raises(CaseError, match=r"P2 cannot be read: Permission denied"):
        entries(data / "P2")


def test_a_file_behind_a_folder_that_cannot_be_entered_may_exist(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert may_exist(tmp_path / "loop" / "a") and not may_exist(tmp_path / "a")


def test_a_folder_on_a_share_of_windows_that_is_gone_is_not_none(tmp_path, monkeypatch):
    def fail(path, **options):
        error = FileNotFoundError(errno.ENOENT, "the network path was not found", str(path))
        error.winerror = 53
        raise error

    monkeypatch.setattr(os, "scandir", fail)
    with pytest.raises(CaseError, match="network path"):
        entries(tmp_path / "reviews")
    monkeypatch.setattr(Path, "stat", fail)
    assert may_exist(tmp_path / "reviews.csv")


def test_what_a_drive_keeps_for_itself_may_be_unreadable(locked):
    assert [case.name for case in find_cases(locked("lost+found"))] == ["P1"]


def test_a_scan_with_a_folder_that_cannot_be_listed_is_refused(locked):
    scan = locked("P2")
    assert holds_dicom(scan)
    with pytest.raises(CaseError, match=r"P2 cannot be read: Permission denied"):
        find_studies(scan)


def test_a_folder_that_goes_away_while_moves_in_it_are_undone_is_refused(tmp_path, monkeypatch):
    (tmp_path / "P1").mkdir()
    (tmp_path / "P1" / ".smalltumor-0.moves").write_text("damaged")

    def remove(folder):
        shutil.rmtree(folder)

    monkeypatch.setattr(listings, "recover_interrupted_writes", remove)
    with pytest.raises(CaseError, match="P1 cannot be read: No such file or directory"):
        list(listings.walk(tmp_path))
