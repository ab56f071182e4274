"""Files of DICOM as old archives and interrupted transfers leave them."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_cases import SHAPE, noise, pydicom, write_series
from hypothesis import example, given
from hypothesis import strategies as st
from smalltumor.data.volumes.dicom_start import (
    START_BYTES,
    file_starts_as_dicom,
    starts_as_dicom,
)
from smalltumor.errors import CaseError
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along


def without_preamble(path, *, with_meta, implicit=False):
    """Rewrite a file as old archives do: without preamble, and possibly without file meta."""
    image = pydicom.dcmread(path)
    if with_meta:
        path.write_bytes(path.read_bytes()[128 + 4 :])
        return
    with path.open("wb") as file:
        stream = pydicom.filebase.DicomFileLike(file)
        stream.is_little_endian, stream.is_implicit_VR = True, implicit
        pydicom.filewriter.write_dataset(stream, image)


@pytest.mark.parametrize(
    "how", [{"with_meta": True}, {"with_meta": False}, {"with_meta": False, "implicit": True}]
)
def test_files_without_preamble_and_ending_are_found_and_read(tmp_path, how):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1")
    for path in folder.iterdir():
        without_preamble(path, **how)
        assert file_starts_as_dicom(path)
    (study,) = find_studies(tmp_path).studies
    np.testing.assert_array_equal(study.series[0].read().data, noise())


def test_compressed_files_without_preamble_are_read(tmp_path):
    pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no compressed DICOM")
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1")
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        image.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
        image.save_as(path)
        without_preamble(path, with_meta=True)
    (study,) = find_studies(tmp_path).studies
    np.testing.assert_array_equal(study.series[0].read().data, noise())


@given(st.binary(max_size=START_BYTES))
@example(b"\x08\x00\x00\x00\x04\x00\x00\x00\x01\x00\x00\x00\x07\x00\x00\x00" * 8)
@example(b"\x02\x00" * 66)
@example(b"II*\x00\x08\x00\x00\x00" + bytes(124))
@example(np.arange(8, 80, dtype="<i2").tobytes())
@example(np.full(66, 8, "<i2").tobytes())
def test_other_bytes_are_no_dicom(start):
    assert not starts_as_dicom(start)


def test_empty_files_of_a_series_are_named(tmp_path):
    folder = write_series(tmp_path / "1", noise(), grid_along("LPS", SHAPE), "T1")
    for name in ("IM_04", "IM_05", "later.dcm"):
        (folder / name).write_bytes(b"")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("text")
    (tmp_path / "other" / "LOCK").write_bytes(b"")
    (warning,) = find_studies(tmp_path).warnings
    assert str(warning).startswith("3 files are empty (1/IM_04) and left out; copy the study again")
    lost = tmp_path / "lost"
    lost.mkdir()
    (lost / "IM_1").write_bytes(b"")
    with pytest.raises(CaseError, match=r"holds no images .*; a file is empty \(IM_1\)"):
        find_studies(lost)


def test_an_image_that_ends_within_its_header_is_a_warning(tmp_path):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1")
    path = sorted(folder.iterdir())[-1]
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"\x28\x00\x02\x00US")])  # before Rows
    (warning,) = find_studies(tmp_path).warnings
    assert (
        str(warning)
        == f"{path.name} is a damaged DICOM file (it ends within its header); it is left out"
    )


@pytest.mark.parametrize(
    "keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]
)
def test_images_of_a_series_without_a_place_are_said(tmp_path, keyword):
    grid = grid_along("LPS", SHAPE)
    folder = write_series(tmp_path / "2", noise(), grid, "T1 KM 3D", number=2)
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        delattr(image, keyword)
        image.save_as(path)
    said = "12 MR images give no position, orientation or pixel size and are left out (2 T1 KM 3D)"
    with pytest.raises(CaseError) as refused:
        find_studies(tmp_path)
    assert said in str(refused.value)
    write_series(tmp_path / "1", noise(), grid, "Ax T1")
    (warning,) = find_studies(tmp_path).warnings
    assert said in str(warning) and str(warning).endswith("export the original images again")


def test_pictures_of_the_screen_need_no_place(tmp_path):
    write_series(tmp_path / "1", noise(), grid_along("LPS", SHAPE), "Ax T1")
    folder = write_series(tmp_path / "2", noise(), grid_along("LPS", SHAPE), "key image", number=2)
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        image.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
        del image.ImagePositionPatient
        image.save_as(path)
    assert not find_studies(tmp_path).warnings


def with_raw_values(folder, **values):
    """Write bytes as the values of tags, as programs for de-identification do."""
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        for keyword, value in values.items():
            tag = pydicom.tag.Tag(keyword)
            kind = pydicom.datadict.dictionary_VR(tag)
            raw = pydicom.dataelem.RawDataElement(tag, kind, len(value), value, 0, False, True)
            image._dict[tag] = raw
        image.save_as(path)


def test_values_that_are_no_numbers_lose_no_image(tmp_path):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "Ax T1")
    names = "EchoTime RepetitionTime SeriesNumber SliceThickness ImagesInAcquisition"
    with_raw_values(folder, **dict.fromkeys(names.split(), b"ANON"))
    content = find_studies(tmp_path)
    (series,) = content.studies[0].series
    assert (series.shape, series.problem, content.warnings) == (SHAPE, "", ())
    assert series.acquisition.echo_time is series.acquisition.repetition_time is None
    np.testing.assert_array_equal(series.read().data, noise())


@pytest.mark.parametrize("number", ["--5", "9" * 5000])
def test_a_series_may_have_any_text_for_its_number(tmp_path, number):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "Ax T1")
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        image.add_new("SeriesNumber", "UT", number)
        image.save_as(path)
    (series,) = find_studies(tmp_path).studies[0].series
    assert series.shape == SHAPE


def test_a_position_that_is_no_number_is_damaged(tmp_path):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "Ax T1")
    with_raw_values(folder, ImagePositionPatient=b"ANON")
    with pytest.raises(CaseError, match="is a damaged DICOM file"):
        find_studies(tmp_path)


def test_a_description_with_a_backslash_is_one_text(tmp_path):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "Ax T1")
    with_raw_values(folder, SeriesDescription=b"Ax T1\\KM ", PatientName=b"Meier^Anna ")
    (series,) = find_studies(tmp_path).studies[0].series
    assert series.title == "1 Ax T1 KM"
    assert series.identity == ("P1", "Meier^Anna")


def test_a_directory_of_another_name_is_no_damaged_file(tmp_path):
    write_series(tmp_path / "1", noise(), grid_along("LPS", SHAPE), "Ax T1")
    directory = pydicom.Dataset()
    directory.file_meta = pydicom.dataset.FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = pydicom.uid.MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    directory.DirectoryRecordSequence = []
    directory.save_as(tmp_path / "DICOMDIR.old", enforce_file_format=True)
    assert not find_studies(tmp_path).warnings


def test_files_with_one_kind_of_damage_are_one_warning(tmp_path):
    write_series(tmp_path / "1", noise(), grid_along("LPS", SHAPE), "Ax T1")
    folder = write_series(tmp_path / "2", noise(), grid_along("LPS", SHAPE), "Ax T2", number=2)
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        del image.SeriesInstanceUID
        image.save_as(path)
    (warning,) = find_studies(tmp_path).warnings
    assert str(warning) == (
        "2/00000 is a damaged DICOM file (no Series Instance UID), and so are 11 more; "
        "they are left out"
    )


@pytest.mark.parametrize("declared", ["ISO_IR 192", "ISO_IR 100", None])
def test_utf8_is_read_as_such_if_another_character_set_or_none_is_declared(tmp_path, declared):
    tags = {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Müller^Anna"}
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1 造影後", **tags)
    for path in folder.iterdir():
        content = path.read_bytes()
        if declared is None:
            content = content.replace(b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 192", b"")
        else:
            content = content.replace(b"ISO_IR 192", declared.encode())
        path.write_bytes(content)
    (series,) = find_studies(tmp_path).studies[0].series
    assert series.title == "1 T1 造影後"
    assert series.identity == ("P1", "Müller^Anna")


def test_latin_letters_are_read_without_a_declared_character_set(tmp_path):
    tags = {"SpecificCharacterSet": "ISO_IR 100", "PatientName": "Müller^Anna"}
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1 später", **tags)
    for path in folder.iterdir():
        content = path.read_bytes()
        path.write_bytes(content.replace(b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100", b""))
    (series,) = find_studies(tmp_path).studies[0].series
    assert (series.title, series.identity) == ("1 T1 später", ("P1", "Müller^Anna"))
