"""Which cases count as moved: their images are known elsewhere, and no longer where they were."""

from __future__ import annotations

import shutil
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from edit_sessions import case_of_file, write_patient
from failing_drives import let_drive_fail, use_path_of_python_3_14
from smalltumor.data.read_case import read_case
from smalltumor.files.user_dirs import data_folder

from napari_smalltumor.case_data.case_data_files import (
    case_data_file,
    case_data_file_of_record,
    write_case_data,
)
from napari_smalltumor.case_data.moved_cases import (
    has_review,
    moved_cases,
    take_over,
    unreadable_cases,
)
from napari_smalltumor.case_data.records import case_key, record_case, record_correction, record_of

EMPTY = np.zeros((9, 10, 11))
LESION = np.pad(np.full((2, 2, 2), 4.0), ((3, 4), (4, 4), (5, 4)))


def write(path, data, dtype=np.uint8):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(data.astype(dtype), np.diag([-1.0, -1.0, 1.0, 1.0])), path)
    return path


def copied(path):
    copy = path.parent.with_name("copy") / path.name
    copy.parent.mkdir()
    return shutil.copy(path, copy)


@pytest.fixture
def folder(tmp_path):
    return write_patient(tmp_path / "Pat")


@pytest.mark.parametrize("data", [EMPTY, LESION], ids=["empty", "lesion"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_equal_label_files_are_of_two_patients(tmp_path, data, dtype):
    first = write(tmp_path / "A" / "A_seg.nii.gz", data, dtype)
    second = write(tmp_path / "B" / "B_seg.nii.gz", data, dtype)
    record_case(case_of_file(first))
    assert moved_cases(case_of_file(second)) == []
    write(first, 1 - data)
    assert moved_cases(case_of_file(second)) == []
    first.unlink()
    assert moved_cases(case_of_file(second)) == []


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_equal_images_of_one_value_are_of_two_patients(tmp_path, value):
    first = write(tmp_path / "A" / "A_flair.nii.gz", EMPTY + value, np.float32)
    second = write(tmp_path / "B" / "B_flair.nii.gz", EMPTY + value, np.float32)
    record_case(case_of_file(first))
    first.unlink()
    assert moved_cases(case_of_file(second)) == []


def test_a_label_file_alone_has_a_record_at_its_place(tmp_path):
    file = write(tmp_path / "A" / "A_seg.nii.gz", EMPTY)
    case = case_of_file(file)
    assert record_of(case) is None
    record_case(case)
    assert record_of(case).key == case_key(case)
    write(file, LESION)
    assert record_of(case_of_file(file)) is None


def test_an_image_that_was_moved_is_recognised_alone_and_in_a_folder(folder, tmp_path):
    case = read_case(folder)
    alone = case_of_file(folder / "Pat_flair.nii.gz")
    record_case(case)
    record_case(alone)
    new = folder.rename(tmp_path / "new")
    assert [record.key for record in moved_cases(read_case(new))] == [case_key(case)]
    (moved,) = moved_cases(case_of_file(new / "Pat_flair.nii.gz"))
    assert moved.key == case_key(alone)


def test_an_image_with_nan_in_the_brain_is_there_as_any_other(folder):
    file = folder / "Pat_flair.nii.gz"
    image = nib.load(file)
    data = np.asarray(image.dataobj, np.float32)
    data[4, 5, 5] = np.nan
    nib.save(nib.Nifti1Image(data, image.affine), file)
    record_case(case_of_file(file))
    copy = case_of_file(copied(file))
    assert moved_cases(copy) == []
    file.unlink()
    assert len(moved_cases(copy)) == 1


def test_a_scan_that_was_corrected_is_not_moved_to_a_copy_of_before(folder, tmp_path):
    case = read_case(folder)
    key = case_key(case)
    shutil.copytree(folder, tmp_path / "copy" / "Pat")
    record_case(case)
    corrected = write_patient(tmp_path / "corrected" / "Pat", times=3)
    for file in corrected.iterdir():
        file.replace(folder / file.name)
    record_correction(case, read_case(folder))
    copy = read_case(tmp_path / "copy" / "Pat")
    assert moved_cases(copy) == []
    shutil.rmtree(folder)
    assert [record.key for record in moved_cases(copy)] == [key]


def test_a_file_that_cannot_be_read_may_still_hold_the_images(folder, tmp_path):
    case = read_case(folder)
    shutil.copytree(folder, tmp_path / "copy" / "Pat")
    record_case(case)
    file = folder / "Pat_t1ce.nii.gz"
    file.write_bytes(file.read_bytes()[:200])
    copy = read_case(tmp_path / "copy" / "Pat")
    assert moved_cases(copy) == []
    assert [record.key for record in unreadable_cases(copy)] == [case_key(case)]


def test_images_that_were_replaced_by_others_are_not_there(folder, tmp_path):
    record_case(read_case(folder))
    shutil.copytree(folder, tmp_path / "copy" / "Pat")
    write_patient(folder, times=2)
    record_case(read_case(folder))
    assert len(moved_cases(read_case(tmp_path / "copy" / "Pat"))) == 1


def test_what_is_taken_over_replaces_no_decisions_that_cannot_be_reached(
    folder, tmp_path, monkeypatch
):
    case = read_case(folder)
    write_case_data(case_data_file("decisions", case), case, {"of": "before"})
    moved = read_case(folder.rename(tmp_path / "new"))
    (record,) = moved_cases(moved)
    own = case_data_file("decisions", moved)
    write_case_data(own, moved, {"of": "now"})
    use_path_of_python_3_14(monkeypatch)
    with monkeypatch.context() as drive:
        let_drive_fail(drive, own)
        assert not has_review(record, moved)
        take_over(record, moved)
    assert "now" in own.read_text()
    assert "before" in case_data_file_of_record("decisions", record).read_text()


def test_the_record_of_a_corrected_case_is_kept_while_it_cannot_be_reached(folder, monkeypatch):
    case = read_case(folder)
    record_case(case)
    corrected = replace(case, volumes={"flair": case.volumes["flair"] + 1})
    record_correction(case, corrected)
    key = case_key(case)
    use_path_of_python_3_14(monkeypatch)
    with monkeypatch.context() as drive:
        for file in data_folder().rglob("*.json"):
            let_drive_fail(drive, file)
        record_case(corrected)
    assert case_key(corrected) == key
