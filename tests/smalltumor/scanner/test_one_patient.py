"""That series may be of several patients or visits is said."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from dicom_cases import TIMES, noise, pydicom, write_series
from smalltumor.errors import CaseError
from smalltumor.scanner.source import find_source
from smalltumor.scanner.studies import find_studies
from smalltumor.scanner.study_choice import StudyChoice
from synthetic import grid_along

SHAPE = (40, 40, 10)
GRID = grid_along("LPS", SHAPE, (5, 5, 12))
NAMES = {"t1": "Ax T1", "t1ce": "Ax T1 POST", "t2": "Ax T2", "flair": "Ax FLAIR"}


def write_study(folder, *modalities, **tags):
    for number, modality in enumerate(NAMES, start=1):
        if modality in modalities or not modalities:
            where = folder / modality
            times = TIMES[modality]
            data = noise(number, SHAPE)
            write_series(where, data, GRID, NAMES[modality], number=number, times=times, **tags)
    return folder


def without(folder, keyword):
    for path in folder.rglob("*"):
        if path.is_file():
            image = pydicom.dcmread(path)
            delattr(image, keyword)
            image.save_as(path)


@pytest.mark.parametrize("patient", ["ANON", "Anonymous", "000000", "UNKNOWN", "XXXX"])
def test_an_id_that_many_have_makes_no_one_patient(tmp_path, patient):
    write_study(tmp_path / "a", "t1", "t1ce", "t2", patient=patient, PatientName="Meier^Anna")
    write_study(tmp_path / "b", "flair", patient=patient, PatientName="Huber^Eva")
    with pytest.raises(CaseError, match=r"of another study, patient Huber\^Eva"):
        find_source(tmp_path, {}, study=StudyChoice(patient="Meier^Anna"))


def test_a_series_of_an_unknown_id_is_of_the_only_patient_of_its_study(tmp_path):
    write_study(tmp_path / "a", "t1", "t1ce", "t2", patient="P1")
    write_study(tmp_path / "b", "flair", patient="ANON")
    assert set(find_source(tmp_path, {}).assignment.chosen) == set(NAMES)


@pytest.mark.parametrize(("patient", "is_said"), [("ANON", True), ("", True), ("P1", False)])
def test_a_series_that_may_be_of_another_anonymous_patient_is_named(tmp_path, patient, is_said):
    write_study(tmp_path / "a", "t1", "t1ce", "t2", patient=patient)
    write_study(tmp_path / "b", "flair", patient=patient, FrameOfReferenceUID="1.2.77")
    warnings = list(map(str, find_source(tmp_path, {}).warnings))
    text = (
        "the headers name no patient, and 4 Ax FLAIR has another frame of reference than other "
        "series; check that they are of one patient"
    )
    assert warnings == [text] * is_said


@pytest.mark.parametrize("patient", ["ANON", "P1"])
def test_that_headers_name_no_study_is_said(tmp_path, patient):
    write_study(tmp_path / "a", "t1", "t1ce", "t2", patient=patient)
    write_study(tmp_path / "b", "flair", patient=patient)
    assert not find_source(tmp_path, {}).warnings
    without(tmp_path, "StudyInstanceUID")
    (warning,) = find_source(tmp_path, {}).warnings
    assert "4 Ax FLAIR" in str(warning)
    assert str(warning).endswith("name no study; check that they are of one patient at one time")


@pytest.mark.parametrize(
    ("tags", "other", "text"),
    [
        (
            {"PatientBirthDate": "19500713"},
            {"PatientBirthDate": "19810203"},
            "the headers give 2 dates of birth",
        ),
        ({"PatientSex": "F"}, {"PatientSex": "M"}, "the headers give two sexes"),
    ],
)
def test_two_dates_of_birth_or_sexes_are_said_but_not_told(tmp_path, tags, other, text):
    write_study(tmp_path / "a", "t1", "t1ce", "t2", **tags)
    write_study(tmp_path / "b", "flair", **other)
    (warning,) = find_source(tmp_path, {}).warnings
    assert str(warning) == f"{text}; check that the patient is one"
    (study,) = find_studies(tmp_path).studies
    assert study.notes == (warning,)


@pytest.mark.parametrize("birth", ["", "19000101", "1950", "00010101"])
def test_a_date_of_birth_that_was_removed_is_no_other_one(tmp_path, birth):
    write_study(tmp_path / "a", "t1", "t1ce", "t2", PatientBirthDate="19500713", PatientSex="F")
    write_study(tmp_path / "b", "flair", PatientBirthDate=birth, PatientSex="O")
    assert not find_source(tmp_path, {}).warnings


def test_a_named_series_of_another_visit_is_used_with_a_warning(tmp_path):
    write_study(tmp_path / "now", "t1", "t1ce", "t2")
    write_study(tmp_path / "before", "flair", study="1.7", StudyDate="20200101")
    source = find_source(tmp_path / "now", {"flair": tmp_path / "before" / "flair"})
    (warning,) = source.warnings
    assert str(warning) == (
        "FLAIR: 4 Ax FLAIR is of another study (patient P1, 2020-01-01) than T1CE "
        "(patient P1, 2024-01-02); check that nothing changed between them"
    )


def test_a_named_series_of_another_name_with_the_same_id_is_said(tmp_path):
    write_study(tmp_path / "a", "t1", "t1ce", "t2", PatientName="Meier^Anna")
    write_study(tmp_path / "b", "flair", PatientName="Huber^Eva")
    source = find_source(tmp_path / "a", {"flair": tmp_path / "b" / "flair"})
    (warning,) = source.warnings
    assert "the headers name 2 patients with one ID: Huber^Eva and Meier^Anna" in str(warning)


def test_names_of_a_study_are_listed_once_with_those_that_are_not_used(tmp_path):
    write_study(tmp_path / "a", "t1", "t1ce", "t2", PatientName="Meier^Anna")
    write_study(tmp_path / "b", "flair", PatientName="Huber^Eva")
    data = noise(9, SHAPE)
    write_series(tmp_path / "c", data, GRID, "DWI", number=9, PatientName="Schmidt^Ida")
    (warning,) = find_source(tmp_path, {}).warnings
    assert str(warning) == (
        "the headers name 3 patients with one ID: Huber^Eva, Meier^Anna and Schmidt^Ida; check "
        "that they are one"
    )


def test_files_of_json_with_two_dates_of_birth_are_said(tmp_path):
    for number, name in enumerate(("x_t1", "x_t1ce", "x_t2", "x_flair"), start=1):
        image = nib.Nifti1Image(noise(number, SHAPE), np.diag([5, 5, 12, 1]))
        nib.save(image, tmp_path / f"{name}.nii.gz")
        record = {"PatientID": "P1", "PatientBirthDate": f"198{number // 4}-02-03"}
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    (warning,) = find_source(tmp_path, {}).warnings
    assert "2 dates of birth" in str(warning)


@pytest.mark.parametrize("nested", [True, False])
def test_studies_of_one_patient_and_date_have_different_titles(tmp_path, nested):
    for number in (1, 2):
        folder = tmp_path / f"visit{number}" if nested else tmp_path
        tags = {"patient": "ANON", "study": f"1.{number}", "suffix": f"{number}"}
        write_study(folder, "t1", "t1ce", **tags)
    titles = [study.title for study in find_studies(tmp_path).studies]
    marks = ("visit1", "visit2") if nested else ("1.1", "1.2")
    assert titles == [f"patient without ID, 2024-01-02 ({mark})" for mark in marks]


def test_patients_that_share_studies_have_titles_with_their_own_folders(tmp_path):
    for index, who in enumerate(("Anna", "Bert")):
        for number in (1, 2):
            folder = tmp_path / f"{who} visit {number}"
            tags = {"patient": who, "study": f"1.{number}", "suffix": f"{index}{number}"}
            write_study(folder, "t1", "t1ce", **tags)
    assert [study.title for study in find_studies(tmp_path).studies] == [
        f"patient {who}, 2024-01-02 ({who} visit {number})"
        for who in ("Anna", "Bert")
        for number in (1, 2)
    ]


def test_folders_that_two_patients_have_are_marks_of_their_studies(tmp_path):
    for index, who in enumerate(("Anna", "Bert")):
        for number in (1, 2):
            folder = tmp_path / who / f"visit{number}"
            tags = {"patient": who, "study": f"1.{index}.{number}", "suffix": f"{index}"}
            write_study(folder, "t1", "t1ce", **tags)
    titles = {study.title for study in find_studies(tmp_path).studies}
    assert titles == {
        f"patient {who}, 2024-01-02 (visit{number})"
        for who in ("Anna", "Bert")
        for number in (1, 2)
    }
