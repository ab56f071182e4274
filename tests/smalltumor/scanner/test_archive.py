"""Zip archives of studies: unpacked within bounds, and nowhere else."""

from __future__ import annotations

import shutil
import stat
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from dicom_cases import write_series
from smalltumor.errors import Cancelled, CaseError
from smalltumor.scanner import archive
from smalltumor.scanner.archive import may_hold_images, unpack, unpacked
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

SHAPE = (24, 20, 12)


def test_a_study_in_an_archive_is_read_as_its_folder(tmp_path):
    data = np.random.default_rng(0).integers(0, 900, SHAPE).astype(np.uint16)
    folder = write_series(tmp_path / "study" / "a", data, grid_along("LPS", SHAPE), "Ax T1")
    with zipfile.ZipFile(tmp_path / "P1 2024.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.iterdir()):
            file.write(path, f"study/a/{path.name}")
    counts: list[int] = []
    with unpacked(tmp_path / "P1 2024.zip", counts.append) as unpacked_folder:
        assert unpacked_folder.name == "P1 2024"
        (study,) = find_studies(unpacked_folder).studies
        np.testing.assert_array_equal(study.series[0].read().data, data)
    assert counts == list(range(1, SHAPE[2] + 1))
    assert not unpacked_folder.exists()


def test_unpacking_ends_within_a_large_file(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_CHUNK_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("large.nii", bytes(10_000))
    calls: list[int] = []

    def cancel_at_the_third(count: int) -> None:
        calls.append(count)
        if len(calls) == 3:
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        unpack(tmp_path / "x.zip", tmp_path / "out", cancel_at_the_third)
    assert calls == [1, 1, 1]
    assert (tmp_path / "out" / "large.nii").stat().st_size == 2000


@pytest.mark.parametrize("name", ["scan.tar", "scan.tar.gz", "scan.TGZ", "scan.7z", "scan.zip"])
def test_an_archive_in_place_of_a_study_is_named_with_what_to_do(tmp_path, name):
    packed = tmp_path / "sent" / name
    packed.parent.mkdir()
    packed.write_bytes(b"packed")
    with pytest.raises(CaseError, match=rf"{name} is an archive; unpack it first"):
        find_studies(packed)
    with pytest.raises(CaseError, match=rf"no images .*, but the archive {name}; unpack it first"):
        find_studies(packed.parent)
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as file:
        file.write(packed, f"study/{name}")
        file.writestr("study/2.tar", b"packed")
    expected = r"no images .*, but 2 archives \(study/2\.tar, \.\.\.\); unpack them first"
    with pytest.raises(CaseError, match=expected), unpacked(tmp_path / "outer.zip"):
        pass


def test_a_folder_is_taken_as_it_is(tmp_path):
    with unpacked(tmp_path) as folder:
        assert folder == tmp_path
    assert tmp_path.exists()


def test_nothing_is_written_outside_the_folder(tmp_path):
    names = ["../out", "a/../../out", "/out", "a/../out", "__MACOSX/a/1", "a/._1", "a/1", "b\\2"]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        for name in names:
            file.writestr(zipfile.ZipInfo(name), name)
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "../../out")
    unpack(tmp_path / "x.zip", tmp_path / "in" / "deep")
    written = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert written == {"x.zip", "in/deep/a/1", "in/deep/b_2"}


@pytest.mark.parametrize(
    ("limit", "value", "sentence"),
    [
        ("MAX_BYTES", 1999, "GB unpacked are over the limit"),
        ("MAX_FILES", 1, "holds 2 files, over the limit of 1"),
    ],
)
def test_too_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch, limit, value, sentence):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("1", bytes(1000))
        file.writestr("2", bytes(1000))
    monkeypatch.setattr(archive, limit, value)
    with pytest.raises(CaseError, match=sentence):
        unpack(tmp_path / "x.zip", tmp_path / "to")
    assert not any((tmp_path / "to").iterdir())


def test_a_file_that_is_larger_than_the_archive_says_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("1", bytes(100_000))
    content = (tmp_path / "x.zip").read_bytes()
    size = (100_000).to_bytes(4, "little")
    assert content.count(size) == 2
    (tmp_path / "x.zip").write_bytes(content.replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(CaseError, match="damaged zip archive"):
        unpack(tmp_path / "x.zip", tmp_path / "to")
    assert sum(path.stat().st_size for path in (tmp_path / "to").iterdir()) <= 10


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a/1", bytes(128) + b"DICM", True),
        ("a/1.dcm", b"", True),
        ("a/DICOMDIR", b"", True),
        ("t1.nii.gz", b"", True),
        ("a/1.txt", bytes(200), False),
        ("__MACOSX/1.dcm", b"", False),
    ],
)
def test_that_an_archive_may_hold_images_is_told_without_unpacking(tmp_path, name, content, found):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("readme", b"text")
        file.writestr(name, content)
    assert may_hold_images(tmp_path / "x.zip") == found
    (tmp_path / "damaged.zip").write_bytes(b"no archive")
    assert may_hold_images(tmp_path / "damaged.zip")  # what is wrong is said when it is unpacked


def test_of_two_files_of_one_name_the_last_is_taken(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr("a/1", b"first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("a/1", b"last")
    unpack(tmp_path / "x.zip", tmp_path / "to")
    assert (tmp_path / "to" / "a" / "1").read_bytes() == b"last"


def test_a_disk_that_is_full_is_said_with_what_is_needed_and_free(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("1", bytes(2**20))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2**19))
    with pytest.raises(CaseError, match=r"x\.zip needs 0\.00098 GB, and .* has 0\.00049 GB free"):
        unpack(tmp_path / "x.zip", tmp_path / "to")


@pytest.mark.parametrize("damage", ["text", "cut", "encrypted", "missing", "name", "lzma"])
def test_what_cannot_be_unpacked_is_said_in_one_line(tmp_path, damage):
    path = tmp_path / "x.zip"
    method = zipfile.ZIP_LZMA if damage == "lzma" else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("ä", np.random.default_rng(0).bytes(5000))
    content = path.read_bytes()
    if damage == "text":
        path.write_text("no archive")
    if damage == "cut":
        path.write_bytes(content[:500])
    if damage == "encrypted":
        at = content.index(b"PK\x01\x02") + 8  # the flags in the central directory
        path.write_bytes(content[:at] + b"\x01\x00" + content[at + 2 :])
    if damage == "name":
        path.write_bytes(content.replace("ä".encode(), b"\xff\xfe"))
    if damage == "lzma":
        path.write_bytes(content[:60] + b"\xff" * 30 + content[90:])
    if damage == "missing":
        path.unlink()
    with pytest.raises(CaseError, match=r"x\.zip") as refused:
        unpack(path, tmp_path / "to")
    assert "\n" not in str(refused.value)
