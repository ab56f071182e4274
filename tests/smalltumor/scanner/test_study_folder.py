"""The folder of the study around one DICOM file."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from dicom_cases import write_series
from smalltumor.data.volumes.volume_files import not_a_volume_error
from smalltumor.files import change_time
from smalltumor.scanner.dicom import study_folder
from smalltumor.scanner.dicom.files import is_dicom
from smalltumor.scanner.dicom.study_folder import StudyOfFile, is_dicom_file, study_of_file
from synthetic import grid_along

SHAPE = (6, 5, 2)


def write(folder, study="1.2", number=1, suffix=""):
    grid = grid_along("LPS", SHAPE)
    image = np.ones(SHAPE, np.uint16)
    write_series(folder, image, grid, "Ax T1", study=study, number=number, suffix=suffix)
    return min(folder.glob(f"*{suffix}"))


@pytest.mark.parametrize("between", ["", "DICOM"])
def test_the_study_is_the_folder_around_its_series(tmp_path, between):
    study = tmp_path / "patient" / "study" / between
    file = write(study / "series 1")
    write(study / "series 2", number=2)
    (study / "report").mkdir()
    assert is_dicom_file(file)
    assert study_of_file(file).folder == study


def test_a_folder_of_several_studies_is_left_out(tmp_path):
    file = write(tmp_path / "first" / "series 1")
    write(tmp_path / "first" / "series 2", number=2)
    write(tmp_path / "second", study="1.3")
    assert study_of_file(file).folder == tmp_path / "first"


def test_a_series_beside_another_patients_files_stays_alone(tmp_path):
    file = write(tmp_path / "series")
    write(tmp_path / "other", number=2)
    write(tmp_path, study="1.3")
    assert study_of_file(file).folder == tmp_path / "series"


def divide(folder, parts):
    """Move the slices of a series to several folders, as a medium has them."""
    for number, file in enumerate(sorted(folder.iterdir())):
        part = folder.parent / f"{number % parts:03d}"
        part.mkdir(exist_ok=True)
        file.rename(part / f"{folder.name}_{file.name}")
    folder.rmdir()


def test_a_series_whose_slices_lie_in_several_folders_is_whole_beside_another_study(tmp_path):
    disc = tmp_path / "disc"
    write(disc / "DICOM" / "T1")
    divide(disc / "DICOM" / "T1", 2)
    file = min((disc / "DICOM" / "000").iterdir())
    write(disc / "DICOM" / "009", study="1.3", number=2)
    assert study_of_file(file) == StudyOfFile(disc / "DICOM", "1.2", "P1")


def test_a_copy_of_a_series_is_no_part_of_it(tmp_path):
    study = tmp_path / "study"
    file = write(study / "series")
    shutil.copytree(study / "series", study / "copy")
    write(study / "other", study="1.3", number=2)
    assert study_of_file(file).folder == study / "series"


def test_one_file_among_those_of_two_studies_tells_which_is_meant(tmp_path):
    first, second = write(tmp_path, suffix="_a"), write(tmp_path, study="1.3", suffix="_b")
    assert study_of_file(first) == StudyOfFile(tmp_path, "1.2", "P1")
    assert study_of_file(second) == StudyOfFile(tmp_path, "1.3", "P1")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_named_pipes_around_a_study_are_not_opened(tmp_path):
    """A pipe without a writer would be waited for without end."""
    file = write(tmp_path / "study" / "series 1")
    write(tmp_path / "study" / "series 2", number=2)
    for name in ("pipe", "pipe.dcm"):
        os.mkfifo(tmp_path / "study" / name)
        assert not is_dicom(tmp_path / "study" / name)
    assert study_of_file(file).folder == tmp_path / "study"
    assert not_a_volume_error(tmp_path / "study" / "pipe") is None


def test_another_study_after_many_folders_is_seen(tmp_path):
    file = write(tmp_path / "S00")
    for number in range(1, 22):
        write(tmp_path / f"S{number:02d}", number=number)
    assert study_of_file(file).folder == tmp_path
    write(tmp_path / "other", study="1.3", number=30)
    for other in (tmp_path / "other").iterdir():
        other.rename(tmp_path / f"z{other.name}")
    assert study_of_file(file).folder == tmp_path / "S00"


def test_another_study_is_seen_that_comes_within_the_same_tick_of_the_clock(tmp_path, monkeypatch):
    monkeypatch.setattr(change_time, "_TICK_NS", 10**12)  # however slow the machine
    file = write(tmp_path / "S1")
    write(tmp_path / "S2", number=2)
    before = tmp_path.stat()
    assert study_of_file(file).folder == tmp_path
    write(tmp_path / "S3", study="1.3", number=3)
    os.utime(tmp_path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert study_of_file(file).folder == tmp_path / "S1"


@pytest.mark.parametrize("place", ["old/b", "old"])
def test_another_study_deep_inside_a_folder_is_seen(tmp_path, place):
    file = write(tmp_path / "S1")
    write(tmp_path / "S2", number=2)
    write(tmp_path / "old" / "a", number=3)
    write(tmp_path / place, study="1.3", number=4)
    assert study_of_file(file).folder == tmp_path / "S1"


def test_a_folder_with_too_many_files_to_look_at_is_not_searched(tmp_path, monkeypatch):
    file = write(tmp_path / "S1")
    write(tmp_path / "S2", number=2)
    (tmp_path / "notes").mkdir()
    for number in range(8):
        (tmp_path / "notes" / f"{number}.txt").touch()
    monkeypatch.setattr(study_folder, "_MAX_FILES", 6)
    assert study_of_file(file).folder == tmp_path / "S1"


def test_files_without_ending_and_a_dicomdir_are_recognised(tmp_path):
    file = write(tmp_path / "medium" / "IMAGES")
    directory = tmp_path / "medium" / "DICOMDIR"
    directory.write_bytes(b"")
    text = tmp_path / "text.txt"
    text.write_text("no image")
    assert is_dicom_file(file) and is_dicom_file(directory)
    assert study_of_file(directory).folder == tmp_path / "medium"
    assert not is_dicom_file(text) and not is_dicom_file(tmp_path)


def test_a_damaged_file_belongs_to_its_folder(tmp_path):
    file = tmp_path / "image.dcm"
    file.write_bytes(b"damaged")
    assert study_of_file(file).folder == tmp_path


def test_an_unknown_character_set_is_no_warning_of_pydicom(tmp_path, recwarn, caplog):
    file = write(tmp_path)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        element = b"\x08\x00\x05\x00CS\x08\x00WEIRD_CS"
        start = content.index(b"\x08\x00\x16\x00UI")
        path.write_bytes(content[:start] + element + content[start:])
    assert study_of_file(file).uid == "1.2"
    assert not recwarn.list and not caplog.records
