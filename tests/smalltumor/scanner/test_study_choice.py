"""A study is chosen by its number, its UID or its patient, and never another patient's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_cases import TIMES, write_series
from smalltumor.errors import Action, CaseError
from smalltumor.scanner.dicom.study_folder import study_of_file
from smalltumor.scanner.source import Source, find_source
from smalltumor.scanner.study_choice import StudyChoice
from synthetic import grid_along

SHAPE = (40, 40, 10)
GRID = grid_along("LPS", SHAPE, (5, 5, 12))
NAMES = {"t1": "Ax T1", "t1ce": "Ax T1 POST", "t2": "Ax T2", "flair": "Ax FLAIR"}


def write_study(folder: Path, study: str, patient: str, modalities=tuple(NAMES), **tags) -> Path:
    """Series of a study, each in a folder of its own."""
    voxels = np.random.default_rng(0).integers(0, 900, SHAPE)
    for number, modality in enumerate(modalities, start=1):
        write_series(
            folder / f"{study} {modality}",
            voxels,
            GRID,
            NAMES[modality],
            patient=patient,
            study=study,
            number=number,
            times=TIMES[modality],
            **tags,
        )
    return folder


@pytest.fixture
def scan(tmp_path):
    """Two studies of B, and one of C."""
    write_study(tmp_path, "1.2", "B", StudyDate="20250101")
    write_study(tmp_path, "1.3", "B", StudyDate="20260101")
    write_study(tmp_path, "1.4", "C")
    return tmp_path


def study_of(source: Source) -> str:
    (study,) = {series.study for series in source.assignment.chosen.values()}
    return study


@pytest.mark.parametrize(
    ("choice", "study"),
    [
        (StudyChoice("2"), "1.3"),
        (StudyChoice("1.3"), "1.3"),
        (StudyChoice(patient="C"), "1.4"),
        (StudyChoice("3", patient="C"), "1.4"),
        (StudyChoice("1.2", patient="B"), "1.2"),
    ],
)
def test_a_study_is_chosen_by_number_uid_and_patient(scan, choice, study):
    source = find_source(scan, {}, study=choice)
    assert study_of(source) == study and not source.warnings


def test_a_study_that_arrives_changes_a_number_and_neither_uid_nor_patient(scan):
    write_study(scan, "1.1", "A")
    assert study_of(find_source(scan, {}, study=StudyChoice("2"))) == "1.2"
    assert study_of(find_source(scan, {}, study=StudyChoice("1.3"))) == "1.3"
    assert study_of(find_source(scan, {}, study=StudyChoice(patient="C"))) == "1.4"
    with pytest.raises(CaseError, match="has no study 3 of patient C; it has 1: patient A"):
        find_source(scan, {}, study=StudyChoice("3", patient="C"))


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (StudyChoice("4"), "has no study 4; it has 1: patient B, 2025-01-01; 2: patient B"),
        (StudyChoice("1.5"), "has no study 1.5; it has 1: patient B"),
        (StudyChoice(patient="b"), "has no study of patient b; it has 1: patient B"),
        (StudyChoice("1.4", patient="B"), "has no study 1.4 of patient B; it has"),
    ],
)
def test_a_study_that_is_not_there_is_refused(scan, choice, text):
    with pytest.raises(CaseError, match=text):
        find_source(scan, {}, study=choice)


def test_of_two_studies_of_a_patient_one_must_be_chosen(scan):
    with pytest.raises(CaseError) as refused:
        find_source(scan, {}, study=StudyChoice(patient="B"))
    assert str(refused.value).endswith(
        "holds 2 studies of patient B (1: patient B, 2025-01-01; 2: patient B, 2026-01-01)"
    )
    assert refused.value.remedy.action is Action.CHOOSE_STUDY


def test_of_the_studies_of_a_patient_the_only_one_with_t1ce_is_taken(tmp_path):
    write_study(tmp_path, "1.2", "B", ("t2",), StudyDate="20250101")
    write_study(tmp_path, "1.3", "B", StudyDate="20260101")
    write_study(tmp_path, "1.4", "C")
    source = find_source(tmp_path, {}, study=StudyChoice(patient="B"))
    assert study_of(source) == "1.3"
    assert [str(warning) for warning in source.warnings] == [
        "only patient B, 2026-01-01 of 2 studies has a T1CE"
    ]


@pytest.mark.parametrize("spelled", ["Meier^Anna", "MEIER, Anna", "Meier^Anna^^Dr."])
def test_a_patient_without_an_id_is_chosen_by_name(tmp_path, spelled):
    write_study(tmp_path, "1.2", "", PatientName="Meier^Anna")
    write_study(tmp_path, "1.3", "", PatientName="Huber^Eva")
    assert study_of(find_source(tmp_path, {}, study=StudyChoice(patient=spelled))) == "1.2"
    with pytest.raises(CaseError, match="has no study of patient Meier"):
        find_source(tmp_path, {}, study=StudyChoice(patient="Meier"))


def test_series_that_are_named_one_by_one_are_of_the_patient(scan):
    given = {modality: scan / f"1.4 {modality}" for modality in NAMES}
    assert study_of(find_source(None, given, study=StudyChoice(patient="C"))) == "1.4"
    with pytest.raises(CaseError, match="is of patient C, not of B"):
        find_source(None, given, study=StudyChoice(patient="B"))


def test_images_that_do_not_tell_their_patient_are_refused(tmp_path):
    given = {modality: tmp_path / f"{modality}.nii.gz" for modality in NAMES}
    for path in given.values():
        nib.save(nib.Nifti1Image(np.ones(SHAPE, np.float32), GRID.affine), path)
    text = "does not tell whether it is of patient B"
    with pytest.raises(CaseError, match=text):
        find_source(None, given, study=StudyChoice(patient="B"))


@pytest.fixture
def merged(tmp_path):
    """Series of two patients with one Study Instance UID: FLAIR of A, all sequences of B."""
    write_study(tmp_path / "a", "1.2", "A", ("flair",))
    write_study(tmp_path / "b", "1.2", "B")
    return tmp_path


def of_file(file: Path) -> StudyChoice:
    return StudyChoice(of_file=study_of_file(file)._replace(folder=file.parents[2]))


def test_a_file_means_the_study_of_its_own_patient(merged):
    file_a, file_b = (next(merged.glob(f"{each}/1.2 flair/*")) for each in "ab")
    with pytest.raises(CaseError, match=r"patient A.*: no series is T1"):
        find_source(merged, {}, study=of_file(file_a))
    source = find_source(merged, {}, study=of_file(file_b))
    assert {s.patient for s in source.assignment.chosen.values()} == {"B"}


def test_a_file_that_names_nobody_means_none_of_two_patients(merged):
    write_study(merged / "c", "1.2", "", ("t2",))
    with pytest.raises(CaseError, match=r"holds 3 studies 1\.2") as refused:
        find_source(merged, {}, study=of_file(next(merged.glob("c/*/*"))))
    assert refused.value.remedy.action is Action.CHOOSE_STUDY


@pytest.mark.parametrize("choice", [StudyChoice(), StudyChoice("1.2")])
def test_of_studies_of_two_patients_none_is_taken_for_its_t1ce(merged, choice):
    with pytest.raises(CaseError, match="holds 2 studies") as refused:
        find_source(merged, {}, study=choice)
    assert refused.value.remedy.action is Action.CHOOSE_STUDY


def test_number_and_patient_must_be_those_of_the_file(scan):
    file = next(scan.glob("1.3 flair/*"))
    choice = StudyChoice(of_file=study_of_file(file))
    assert study_of(find_source(scan, {}, study=replace(choice, named="2"))) == "1.3"
    for other in (replace(choice, named="1"), replace(choice, patient="C")):
        with pytest.raises(CaseError, match="has no study"):
            find_source(scan, {}, study=other)


def test_a_session_of_volumes_is_chosen_by_its_name(tmp_path):
    for session in ("20210101", "20220101"):
        for modality in NAMES:
            path = tmp_path / f"sub-B_ses-{session}_{modality}.nii.gz"
            nib.save(nib.Nifti1Image(np.ones(SHAPE, np.float32), GRID.affine), path)
    source = find_source(tmp_path, {}, study=StudyChoice("ses-20220101"))
    assert study_of(source) == "ses-20220101"


@pytest.mark.parametrize("modality", ["t1ce", "flair"])
def test_one_image_that_does_not_tell_its_patient_is_refused(scan, tmp_path, modality):
    path = tmp_path / "anonymous.nii.gz"
    nib.save(nib.Nifti1Image(np.ones(SHAPE, np.float32), GRID.affine), path)
    with pytest.raises(CaseError, match=r"anonymous\.nii\.gz does not tell whether it is of"):
        find_source(scan, {modality: path}, study=StudyChoice(patient="C"))


def test_a_series_that_names_nobody_is_of_the_patient_of_its_study(tmp_path):
    write_study(tmp_path, "1.2", "B", ("t1", "t2", "flair"))
    write_series(
        tmp_path / "t1ce", np.ones(SHAPE, np.uint16), GRID, "Ax T1 POST", patient="", study="1.2"
    )
    assert study_of(find_source(tmp_path, {}, study=StudyChoice(patient="B"))) == "1.2"


def test_two_spellings_of_a_name_are_one_patient(tmp_path):
    write_study(tmp_path, "1.2", "", ("t2",), PatientName="DOE^JANE")
    write_study(tmp_path, "1.3", "", PatientName="Doe^Jane")
    assert study_of(find_source(tmp_path, {})) == "1.3"
