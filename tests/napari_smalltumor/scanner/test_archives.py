"""Zip archives of scans stay unpacked, each version of a file apart."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from smalltumor.errors import CaseError

from napari_smalltumor.scanner import archives
from napari_smalltumor.scanner.archives import (
    beside_scan,
    is_unpacked,
    remove_unpacked,
    unpacked_folder,
)
from napari_smalltumor.scanner.output_folder import folder_problem


@pytest.fixture(autouse=True)
def _nothing_unpacked(monkeypatch):
    monkeypatch.setattr(archives, "_UNPACKED", {})


def write_archive(path: Path, name: str) -> Path:
    path.unlink(missing_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.dcm", name)
    return path


def test_an_archive_is_unpacked_once(tmp_path):
    archive = write_archive(tmp_path / "study.zip", "patient_A")
    assert unpacked_folder(archive) == unpacked_folder(archive)
    assert unpacked_folder(tmp_path) == tmp_path


def test_another_archive_of_the_same_name_is_unpacked(tmp_path):
    first = unpacked_folder(write_archive(tmp_path / "study.zip", "patient_A"))
    second = unpacked_folder(write_archive(tmp_path / "study.zip", "patient_B"))
    assert [path.name for path in second.iterdir()] == ["patient_B.dcm"]
    # A case that was made of the first may still be corrected.
    assert [path.name for path in first.iterdir()] == ["patient_A.dcm"]


def test_an_archive_whose_files_were_cleaned_up_is_unpacked_again(tmp_path):
    archive = write_archive(tmp_path / "study.zip", "patient_A")
    shutil.rmtree(unpacked_folder(archive).parent)
    assert [path.name for path in unpacked_folder(archive).iterdir()] == ["patient_A.dcm"]


def test_files_are_proposed_beside_the_archive_and_never_within_what_was_unpacked(tmp_path):
    archive = write_archive(tmp_path / "study.zip", "patient_A")
    folder = unpacked_folder(archive)
    assert beside_scan(folder) == beside_scan(archive) == beside_scan(folder / "T1") == tmp_path
    assert is_unpacked(folder) and is_unpacked(folder.parent / "x.dcm")
    assert not is_unpacked(tmp_path / "x.dcm")
    assert "deleted when napari ends" in folder_problem(str(folder.parent / "case"), folder)


def test_an_archive_without_images_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("letter.txt", "text")
    with pytest.raises(CaseError, match=r"x\.zip holds no images"):
        unpacked_folder(tmp_path / "x.zip")
    assert archives._UNPACKED == {}


def test_what_was_unpacked_can_be_removed(tmp_path):
    archive = write_archive(tmp_path / "study.zip", "patient_A")
    folder = unpacked_folder(archive)
    remove_unpacked(tmp_path)
    assert folder.is_dir() and tmp_path.is_dir()
    remove_unpacked(folder)
    assert not folder.parent.exists()


def test_what_was_unpacked_is_removed_without_a_word_when_the_program_ends(tmp_path):
    archive = write_archive(tmp_path / "study.zip", "patient_A")
    program = (
        "from pathlib import Path\n"
        "from napari_smalltumor.scanner.archives import unpacked_folder\n"
        f"print(unpacked_folder(Path({str(archive)!r})))\n"
    )
    words = [sys.executable, "-W", "always::ResourceWarning", "-c", program]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)
    folder = Path(ended.stdout.strip())
    assert folder.name == "study" and not folder.parent.exists()
    assert "ResourceWarning" not in ended.stderr
