"""The scans of prepared cases, remembered on this computer."""

from __future__ import annotations

import json
import zipfile
from threading import Thread

import pytest
from filelock import FileLock

from napari_smalltumor.scanner import archives, known_scans
from napari_smalltumor.scanner.archives import remove_unpacked, unpacked_folder
from napari_smalltumor.scanner.known_scans import (
    FILE_NAME,
    cases_of_scan,
    forget_scan,
    remember_scan,
    scan_of,
)


@pytest.fixture
def restart(monkeypatch):
    """Forget what only this session knows."""
    monkeypatch.setattr(known_scans, "_SCANS", {})
    return lambda: known_scans._SCANS.clear()


@pytest.fixture
def data(tmp_path, monkeypatch):
    folder = tmp_path / "user data"
    monkeypatch.setenv("SMALLTUMOR_DATA", str(folder))
    return folder


def test_a_scan_is_known_after_a_restart_from_the_users_data_alone(tmp_path, data, restart):
    case, scan = tmp_path / "case", tmp_path / "Müller, Anna"
    case.mkdir()
    scan.mkdir()
    remember_scan(case, scan)
    restart()
    assert scan_of(case) == scan
    assert scan_of(case, earlier_sessions=False) is None
    assert not any(case.iterdir())
    forget_scan(case)
    restart()
    assert scan_of(case) is None


def test_a_scan_that_was_deleted_is_not_known(tmp_path, data, restart):
    remember_scan(tmp_path / "case", tmp_path / "gone")
    assert scan_of(tmp_path / "case") is None


def test_an_archive_is_known_after_a_restart_and_its_files_only_in_this_session(
    tmp_path, data, restart, monkeypatch
):
    monkeypatch.setattr(archives, "_UNPACKED", {})
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("one.dcm", "one")
    files = unpacked_folder(archive)
    remember_scan(tmp_path / "case", files)
    assert scan_of(tmp_path / "case") == files
    remove_unpacked(files)
    assert scan_of(tmp_path / "case") == archive
    restart()
    assert scan_of(tmp_path / "case") == archive
    assert scan_of(tmp_path / "case", earlier_sessions=False) is None
    archive.unlink()
    assert scan_of(tmp_path / "case") is None


@pytest.mark.parametrize("content", ["", "[1]", "{", "[" * 100_000])
def test_a_damaged_file_is_replaced(tmp_path, data, restart, content):
    data.mkdir()
    (data / FILE_NAME).write_text(content)
    assert scan_of(tmp_path / "case") is None
    remember_scan(tmp_path / "case", tmp_path)
    restart()
    assert scan_of(tmp_path / "case") == tmp_path


def test_only_the_latest_scans_are_stored(tmp_path, data, restart, monkeypatch):
    monkeypatch.setattr(known_scans, "MAX_STORED", 2)
    for name in ("a", "b", "a", "c"):
        remember_scan(tmp_path / name, tmp_path)
    stored = json.loads((data / FILE_NAME).read_text())
    assert list(stored) == [str(tmp_path / "a"), str(tmp_path / "c")]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, restart, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("SMALLTUMOR_DATA", str(file))
    remember_scan(tmp_path / "case", tmp_path)
    assert scan_of(tmp_path / "case") == tmp_path


def test_scans_that_another_process_remembers_at_the_same_time_are_kept(
    tmp_path, data, restart, monkeypatch
):
    write, others = known_scans.write_text, []
    monkeypatch.setattr(known_scans, "_MAX_WAIT_S", 60.0)  # however slow the machine

    def remember_in_between(path, text, **options):
        monkeypatch.setattr(known_scans, "write_text", write)
        thread = Thread(target=remember_scan, args=(tmp_path / "B", tmp_path))
        thread.start()  # waits for the lock
        others.append(thread)
        thread.join(0.2)
        write(path, text, **options)

    monkeypatch.setattr(known_scans, "write_text", remember_in_between)
    remember_scan(tmp_path / "A", tmp_path)
    others[0].join()
    restart()
    assert scan_of(tmp_path / "A") == scan_of(tmp_path / "B") == tmp_path


def test_a_lock_that_is_not_given_up_does_not_hold_up_the_window(
    tmp_path, data, restart, monkeypatch
):
    monkeypatch.setattr(known_scans, "_MAX_WAIT_S", 0.01)
    data.mkdir()
    with FileLock(data / known_scans.LOCK_NAME):
        remember_scan(tmp_path / "A", tmp_path)
    restart()
    assert scan_of(tmp_path / "A") == tmp_path


def test_a_case_that_was_prepared_through_a_link_is_known_by_its_own_folder(tmp_path, data):
    case, scan = tmp_path / "cases" / "Pat", tmp_path / "scan"
    case.mkdir(parents=True)
    scan.mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "cases", target_is_directory=True)
    remember_scan(tmp_path / "link" / "Pat", scan)
    assert scan_of(case) == scan
    forget_scan(case)
    assert scan_of(tmp_path / "link" / "Pat") is None


def test_the_cases_of_a_scan_are_known_as_long_as_they_are_there(tmp_path, data, restart):
    scan, other, first, second = (tmp_path / name for name in ("scan", "other", "one", "two"))
    for folder in (scan, other, first, second):
        folder.mkdir()
    assert cases_of_scan(scan) == []
    remember_scan(first, scan)
    remember_scan(second, scan)
    restart()
    assert cases_of_scan(scan) == [first, second]
    assert cases_of_scan(other) == []
    remember_scan(first, scan)
    assert cases_of_scan(scan) == [second, first]
    remember_scan(second, scan)
    assert cases_of_scan(scan) == [first, second]
    remember_scan(first, other)
    assert cases_of_scan(scan) == [second]
    second.rmdir()
    assert cases_of_scan(scan) == []
