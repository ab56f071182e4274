"""Volumes of two patients or two visits never make one study, whatever their folders are named."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_cases import noise
from smalltumor.errors import CaseError
from smalltumor.scanner.source import find_source
from smalltumor.scanner.studies import find_studies
from smalltumor.scanner.study_choice import StudyChoice
from smalltumor.scanner.volume_series import series_of_file

ALL = ("t1", "t1ce", "t2", "flair")
SHAPE = (12, 12, 12)


def write(folder: Path, *names: str, sidecar: dict | None = None) -> Path:
    """Write a small volume for each name, with a JSON file beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        image = nib.Nifti1Image(noise(number, SHAPE), np.diag([-15.0, -15.0, 15.0, 1.0]))
        nib.save(image, folder / f"{name}.nii.gz")
        if sidecar is not None:
            (folder / f"{name}.json").write_text(json.dumps(sidecar))
    return folder


def studies(folder: Path) -> dict[tuple[str, str], set[str]]:
    """Files by patient and study."""
    return {
        (s.patient, s.study): {series.location.name.split(".")[0] for series in s.series}
        for s in find_studies(folder).studies
    }


@pytest.mark.parametrize("above", ["acute", "sub-acute", "ses-2024", "sub-01/ses-02"])
def test_the_name_of_a_folder_above_joins_no_patients(tmp_path, monkeypatch, above):
    scans = tmp_path / above / "scans"
    write(scans / "Anna", "t1", "t1ce", "t2")
    write(scans / "Bert", "flair")
    expected = {("", "Anna"): {"t1", "t1ce", "t2"}, ("", "Bert"): {"flair"}}
    assert studies(scans) == expected
    monkeypatch.chdir(scans)
    assert studies(Path()) == expected
    with pytest.raises(CaseError, match="no series is FLAIR; of another study, patient without ID"):
        find_source(scans, {})


def test_patients_below_a_folder_that_is_named_as_a_session_are_told_apart(tmp_path):
    for name in ("Anna", "Bert"):
        write(tmp_path / "ses-2024" / name, *ALL)
    expected = {("", "ses-2024, Anna"), ("", "ses-2024, Bert")}
    assert set(studies(tmp_path / "ses-2024")) == expected
    with pytest.raises(CaseError, match="holds 2 studies"):
        find_source(tmp_path / "ses-2024", {})


@pytest.mark.parametrize("prefix", ["", "sub-01_"])
def test_two_visits_of_one_subject_are_two_studies(tmp_path, prefix):
    subject = tmp_path / "sub-01"
    for visit, names in (("visit1", ALL[:3]), ("visit2", ALL)):
        write(subject / visit, *(prefix + name for name in names))
    assert set(studies(subject)) == {("sub-01", "visit1"), ("sub-01", "visit2")}
    with pytest.raises(CaseError, match="holds 2 studies"):
        find_source(subject, {})


def test_two_sessions_in_the_same_folders_are_told_apart(tmp_path):
    for session, raw, processed in (
        ("ses-01", ("t1ce", "t1"), ("t1", "t2")),
        ("ses-02", ("flair", "t2"), ("t2", "flair")),
    ):
        write(tmp_path / "raw", *(f"sub-01_{session}_{name}" for name in raw))
        write(tmp_path / "proc", *(f"sub-01_{session}_{name}" for name in processed))
    assert {study for _, study in studies(tmp_path)} == {
        f"{session}, {folder}" for session in ("ses-01", "ses-02") for folder in ("raw", "proc")
    }
    with pytest.raises(CaseError, match="no series is FLAIR or T2; of another study"):
        find_source(tmp_path, {})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("sub-NYU-001", "sub-NYU-002"),
        ("sub-01_ses-2020-01-01", "sub-01_ses-2020-06-01"),
        ("sub-01_ses-pre", "sub-01_ses-pre2"),
    ],
)
def test_names_with_hyphens_tell_patients_and_sessions_apart(tmp_path, first, second):
    write(tmp_path, *(f"{first}_{name}" for name in ("t1", "t1ce", "t2")))
    write(tmp_path, f"{second}_flair")
    assert len(studies(tmp_path)) == 2
    with pytest.raises(CaseError, match="no series is FLAIR; of another study"):
        find_source(tmp_path, {}, study=StudyChoice("1"))


def test_words_of_a_sequence_are_no_part_of_a_subject(tmp_path):
    write(tmp_path, *(f"sub-01-{name}" for name in ALL))
    assert set(studies(tmp_path)) == {("sub-01", "")}
    assert find_source(tmp_path, {}).warnings == ()


@pytest.mark.parametrize(
    ("first", "second"), [("preop", "postop"), ("2020-01-01", "2021-01-01"), ("Anna", "Bert")]
)
def test_names_that_differ_in_a_folder_of_one_subject_are_said(tmp_path, first, second):
    folder = write(tmp_path / "sub-01", *(f"{first}_{name}" for name in ("t1", "t1ce", "t2")))
    write(folder, f"{second}_flair")
    (warning,) = find_source(tmp_path, {}).warnings
    text = "names and headers do not show that 4 files were acquired at one time"
    assert warning.deidentified == text and str(warning).startswith(f"{text}: ")


def test_names_that_differ_in_files_of_one_id_are_said(tmp_path):
    sidecar = {"PatientID": "A-100"}
    write(tmp_path, "v1_t1", "v1_t1ce", "v1_t2", sidecar=sidecar)
    write(tmp_path, "v2_flair", sidecar=sidecar)
    (warning,) = find_source(tmp_path, {}).warnings
    assert warning.deidentified.endswith("4 files were acquired at one time")


@pytest.mark.parametrize(("later", "count"), [("2020-01-02", 0), ("2021-01-01", 1)])
def test_days_that_lie_apart_by_the_headers_are_said(tmp_path, later, count):
    for name in ALL:
        day = later if name == "flair" else "2020-01-01"
        sidecar = {"PatientID": "A-100", "AcquisitionDateTime": f"{day}T10:00:00"}
        write(tmp_path, name, sidecar=sidecar)
    warnings = [str(warning) for warning in find_source(tmp_path, {}).warnings]
    text = (
        "by the headers, the series were acquired within 366 days; check that they are of one visit"
    )
    assert [warning.startswith(text) for warning in warnings] == [True] * count


def test_folders_of_sequences_with_further_files_are_one_session(tmp_path):
    session = tmp_path / "sub-01" / "ses-1"
    for name in ALL:
        write(session / name, name)
    write(session / "t2", "t2b")
    write(session / "dwi", "dwi", "adc")
    assert set(studies(tmp_path)) == {("sub-01", "ses-1")}
    write(tmp_path / "sub-02" / "anat", "t1", "t1ce")
    write(tmp_path / "sub-02" / "FLAIR", "flair")
    assert set(studies(tmp_path / "sub-02")) == {("sub-02", "")}


@pytest.mark.parametrize("path", ["..", "../../ses-1", "../anat/.."])
def test_a_path_with_dots_is_of_the_same_subject(tmp_path, monkeypatch, path):
    monkeypatch.chdir(write(tmp_path / "sub-01" / "ses-1" / "anat", *ALL))
    assert set(studies(Path(path))) == {("sub-01", "ses-1")}


@pytest.mark.parametrize("folders", [("a", "b", "c", "d"), ("a", "a", "a", "a")])
def test_two_studies_by_their_uids_are_told_apart_in_one_session(tmp_path, folders):
    for name, folder in zip(ALL, folders, strict=True):
        sidecar = {"StudyInstanceUID": "1.2" if name == "flair" else "1.1"}
        write(tmp_path / folder, f"sub-01_ses-01_{name}", sidecar=sidecar)
    assert set(studies(tmp_path)) == {("sub-01", "1.1"), ("sub-01", "1.2")}
    with pytest.raises(CaseError, match="no series is FLAIR; of another study"):
        find_source(tmp_path, {})


@pytest.mark.parametrize("searched", ["ses-01", "ses-01/anat"])
def test_a_searched_session_or_its_images_are_of_the_subject_around_them(tmp_path, searched):
    subject = tmp_path / "sub-01"
    folder = write(subject / "ses-01" / "anat", *ALL)
    assert set(studies(subject / searched)) == {("sub-01", "ses-01")}
    write(folder, "sub-01_ses-01_t2")
    assert {patient for patient, _ in studies(subject / searched)} == {"sub-01"}


def test_images_of_nobody_may_lie_in_a_folder_that_is_named_as_those_of_bids(tmp_path):
    write(tmp_path / "anat", *ALL)
    assert studies(tmp_path / "anat") == {("", "anat/"): set(ALL)}


def test_derived_images_are_not_joined_with_raw_ones(tmp_path):
    write(tmp_path / "sub-01" / "anat", *(f"sub-01_{n}" for n in ("T1w", "ce-gd_T1w", "FLAIR")))
    write(tmp_path / "sub-01" / "perf", "sub-01_T2w")
    derived = tmp_path / "derivatives" / "atlas" / "sub-01" / "anat"
    write(derived, "sub-01_space-MNI_T1w", "sub-01_space-MNI_T2w")
    found = studies(tmp_path)
    assert found["sub-01", ""] == {
        *("sub-01_T1w", "sub-01_ce-gd_T1w", "sub-01_FLAIR", "sub-01_T2w")
    }
    assert set(found) == {("sub-01", ""), ("sub-01", "derivatives/atlas/sub-01")}


def test_a_session_of_bids_may_lie_in_folders_by_kind(tmp_path):
    session = tmp_path / "sub-01" / "ses-2"
    write(session / "anat", "sub-01_ses-2_T1w", "sub-01_ses-2_ce-gd_T1w", "sub-01_ses-2_T2w")
    write(session / "perf", "sub-01_ses-2_FLAIR", "sub-01_ses-2_asl")
    assert len(studies(tmp_path)["sub-01", "ses-2"]) == 5
    assert find_source(tmp_path, {}).warnings == ()


def test_each_sequence_in_a_folder_of_its_own_is_one_study_and_that_is_said(tmp_path):
    for name in ALL:
        write(tmp_path / "sub-01" / "ses-2" / name, "image")
    assert set(studies(tmp_path)) == {("sub-01", "ses-2")}
    (warning,) = find_source(tmp_path, {}).warnings
    assert str(warning) == "the files of 4 folders are taken as one patient at one time"


def test_the_ids_of_headers_contradict_the_name_of_a_folder(tmp_path):
    subject = tmp_path / "sub-01"
    write(subject / "one", "t1", "t1ce", "t2", sidecar={"PatientID": "A-100"})
    write(subject / "two", "flair", sidecar={"PatientID": "B-200"})
    assert {patient for patient, _ in studies(subject)} == {"A-100", "B-200"}


def test_one_id_is_that_of_all_files_of_the_subject(tmp_path):
    write(tmp_path / "sub-01", "t1", "t1ce", sidecar={"PatientID": "A-100"})
    write(tmp_path / "sub-01", "t2", "flair")
    assert set(studies(tmp_path)) == {("sub-01", "")}


def test_one_study_uid_joins_files_of_several_folders(tmp_path):
    sidecar = {"PatientID": "A-100", "StudyInstanceUID": "1.2.3"}
    write(tmp_path / "a", "t1", "t1ce", sidecar=sidecar)
    write(tmp_path / "b", "t2", "flair", sidecar=sidecar)
    assert set(studies(tmp_path)) == {("A-100", "1.2.3")}


@pytest.mark.parametrize(
    ("place", "stated"),
    [
        ("sub-01", ("sub-01", "")),
        ("sub-01/anat", ("sub-01", "")),
        ("sub-01/ses-2/anat", ("sub-01", "ses-2")),
        ("sub-01/ses-2", ("sub-01", "ses-2")),
        ("sub-01/visit2", ("", "")),
        ("sub-acute/scans/Anna", ("", "")),
    ],
)
def test_a_file_that_is_named_by_itself_is_of_the_subject_around_it(tmp_path, place, stated):
    series = series_of_file(write(tmp_path / place, "t1") / "t1.nii.gz")
    assert (series.patient, series.study) == stated


def test_named_files_of_two_subjects_are_refused(tmp_path):
    given = {m: write(tmp_path / "sub-01" / "anat", m) / f"{m}.nii.gz" for m in ALL[:3]}
    given["flair"] = write(tmp_path / "sub-02" / "anat", "flair") / "flair.nii.gz"
    with pytest.raises(CaseError, match="the series are of 2 patients"):
        find_source(None, given)
