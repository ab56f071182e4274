"""The key of a case, under which something is kept, by its files, images and record."""

from __future__ import annotations

from dataclasses import replace

import pytest
from edit_sessions import write_patient
from napari_cases import case_along
from smalltumor.data.read_case import read_case
from smalltumor.errors import OutputError

from napari_smalltumor.case_data.records import (
    case_key,
    record_case,
    record_correction,
    record_of,
    records_of_images,
)


@pytest.fixture
def folder(tmp_path):
    return write_patient(tmp_path / "Pat")


@pytest.fixture
def corrected(tmp_path, folder):
    """The case with other images in the same files, which are not written there."""
    other = read_case(write_patient(tmp_path / "other" / "Pat", times=3))
    images = {
        folder / path.name: image.rewritten(image.volume.data)
        for path, image in other.loaded_images.items()
    }
    return replace(read_case(folder), loaded_images=images)


def records(data_folder):
    return sorted(data_folder.glob("cases/*/*.json"))


def test_the_key_stays_when_a_missing_image_has_been_added(tmp_path):
    case = case_along()
    case.paths = {m: tmp_path / f"Pat_{m}.nii.gz" for m in case.volumes}
    without = {m: path for m, path in case.paths.items() if m != "flair"}
    assert case_key(case) == case_key(replace(case, paths=without))
    other = {**case.paths, "t1ce": tmp_path / "again" / "Pat_t1ce.nii.gz"}
    assert case_key(case) != case_key(replace(case, paths=other))


def test_a_correction_has_the_key_of_before_and_a_second_one_too(folder, corrected):
    case = read_case(folder)
    key = case_key(case)
    assert case_key(corrected) != key
    record_correction(case, corrected)
    assert case_key(corrected) == case_key(read_case(folder)) == key
    record_correction(corrected, case)  # it is taken back
    assert case_key(corrected) == case_key(case) == key


def test_a_record_has_the_place_of_the_images_and_is_found_by_their_voxels(folder, data_folder):
    case = read_case(folder)
    record_case(case)
    (record,) = records_of_images(case)
    assert record == record_of(case)
    assert (record.name, record.key, record.folder) == ("Pat", case_key(case), folder.resolve())
    elsewhere = read_case(folder.rename(folder.with_name("elsewhere")))
    assert records_of_images(elsewhere) == [record] and record_of(elsewhere) is None


def test_nothing_is_recorded_of_a_case_that_was_not_read_from_files(data_folder):
    record_case(case_along())
    assert records(data_folder) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"format": "smalltumor case", "version": 2, "key": 1, "images": {"a": 1}}',
    ],
)
def test_a_damaged_record_or_one_of_a_later_version_is_none_and_stays(folder, data_folder, content):
    case = read_case(folder)
    record_case(case)
    (file,) = records(data_folder)
    file.write_text(content)
    moved = read_case(folder.rename(folder.with_name("moved")))
    assert records_of_images(moved) == []
    assert case_key(moved) != case_key(case)
    record_case(case)
    assert file.read_text() == content


def test_a_key_that_names_another_file_is_none(folder, corrected, data_folder):
    record_correction(read_case(folder), corrected)
    for file in records(data_folder):
        file.write_text(file.read_text().replace(case_key(read_case(folder)), "../../x/0123456"))
    other = read_case(folder.rename(folder.with_name("moved")))
    assert records_of_images(other) == []


def test_a_record_that_cannot_be_written_is_an_error_that_names_it(folder, data_folder):
    data_folder.parent.mkdir(parents=True, exist_ok=True)
    data_folder.write_bytes(b"a file where the folder should be")
    with pytest.raises(OutputError, match=str(data_folder)):
        record_case(read_case(folder))
