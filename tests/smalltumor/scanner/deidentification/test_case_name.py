"""The name that is proposed for a case."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_cases import write_series
from smalltumor.scanner.deidentification.case_name import names_patient, neutral_name, proposed_name
from smalltumor.scanner.series import Acquisition, Series
from smalltumor.scanner.source import find_source
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

SHAPE = (24, 20, 12)


def write(folder: Path, **tags: object) -> Path:
    grid = grid_along("LPS", SHAPE)
    image = np.random.default_rng(0).integers(1, 900, SHAPE).astype(np.uint16)
    return write_series(folder, image, grid, "Ax T1 post gd", **tags)


@pytest.mark.parametrize("visit", ["2025-03-12", "visit1", "baseline", "week-000", "follow-up"])
def test_a_folder_that_is_named_after_a_visit_names_no_patient(tmp_path, visit):
    names = []
    for number, patient in enumerate(("Kessler", "Oduya")):
        folder = write(tmp_path / patient / visit, patient=f"P{number}", study=f"1.2.{number}")
        (study,) = find_studies(folder).studies
        names.append(proposed_name(folder, [study], study))
        assert names[-1] == neutral_name(study)
    assert len(set(names)) == 2


@pytest.mark.parametrize(
    ("folder", "patient", "name", "expected"),
    [
        ("Müller_Anna_2024", "7", "Mueller^Anna", True),
        ("mueller", "7", "MÜLLER^Anna", True),
        ("MULLER", "7", "Müller^Anna", True),
        ("Sorensen_2024", "7", "Sørensen^Anna", True),
        ("soerensen", "7", "Sørensen^Anna", True),
        ("Aase", "7", "Berg^Åse", True),
        ("scan 00123-456", "00123456", "Anonymous", True),
        ("scan 17", "17", "X^Y", False),
        ("glioma study", "4711", "Li^Xu", False),
        ("Li_Na", "4711", "Li^Na", True),
        ("LiNa", "4711", "Li^Na", True),
        ("Ng", "12", "Ng^Xu", True),
        ("MuellerHans_2024", "881", "Müller^Hans", True),
        ("hans-mueller2024", "881", "Müller^Hans", True),
        ("hmueller", "881", "Müller^Hans", True),
        ("muellerh", "881", "Müller^Hans", True),
        ("pat_881", "000881", "X^Y", True),
        ("pat_000881", "881", "X^Y", True),
        ("17", "017", "X^Y", True),
        ("MRT_T1", "4711", "T^Otto", False),
        ("moderate", "4711", "van der Berg^A", False),
        ("annals", "4711", "Anna", False),
        ("P0815_baseline", "P0815", "", True),
        ("Glioma baseline", "", "", False),
    ],
)
def test_a_folder_that_is_named_after_the_patient_is_recognised(
    tmp_path, folder, patient, name, expected
):
    write(tmp_path / folder, patient=patient, PatientName=name)
    (study,) = find_studies(tmp_path / folder).studies
    assert names_patient(folder, study.series) == expected
    proposed = proposed_name(tmp_path / folder, (study,), study)
    assert proposed == (neutral_name(study) if expected else folder)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("李娜", "李^娜"),
        ("李娜_2024", "Li^Na=李^娜"),
        ("Иванов", "Иванов^А"),
        ("Lukasz", "Nowak^Łukasz"),
        ("yildiz", "YILDIZ^Işıl"),
        ("isil", "YILDIZ^Işıl"),
    ],
)
def test_names_in_other_scripts_and_letters_are_recognised(folder, name):
    assert names_patient(folder, [replace(SERIES, identity=("4711", name))])


@pytest.mark.parametrize(
    ("folder", "start", "expected"),
    [
        ("rawscan", "Anna_", "Anna"),
        ("scan", "sub-07_ses-2_", "sub-07_ses-2"),
        ("Anna", "", "Anna"),
        ("Anna", "ax_", "Anna"),
        ("Anna", "scan_", "Anna"),
        ("Anna", "Bert_", "Bert"),
    ],
)
def test_the_patient_that_the_names_of_the_files_state_is_proposed(
    tmp_path, folder, start, expected
):
    place = tmp_path / folder
    place.mkdir()
    for name in ("T1w", "ce-gad_T1w", "T2w", "FLAIR"):
        nib.save(
            nib.Nifti1Image(np.ones((4, 4, 4), np.int16), np.eye(4)),
            place / f"{start}{name}.nii.gz",
        )
    assert find_source(place, {}).name == expected


def test_files_that_are_named_after_the_patient_of_their_headers_give_a_neutral_name(tmp_path):
    for name in ("t1", "t1_gd", "t2", "flair"):
        image = nib.Nifti1Image(np.ones((4, 4, 4), np.int16), np.eye(4))
        nib.save(image, tmp_path / f"Mueller_{name}.nii.gz")
        (tmp_path / f"Mueller_{name}.json").write_text('{"PatientName": "Mueller^Hans"}')
    assert find_source(tmp_path, {}).name.startswith("case_")


SERIES = Series(
    title="ax_t1_gd.nii.gz",
    patient="",
    study="",
    date="",
    acquisition=Acquisition(text="t1 gd"),
    shape=(1, 1, 1),
    spacing=(1.0, 1.0, 1.0),
    location=Path("ax_t1_gd.nii.gz"),
    read=lambda: pytest.fail("voxels are not needed"),
)


@pytest.mark.parametrize("uids", [False, True])
@pytest.mark.parametrize("folder", ["ses-01", "scan"])
def test_neutral_names_of_two_patients_differ_whatever_their_folders_and_sessions(
    tmp_path, folder, uids
):
    for number, who in enumerate(("Mueller", "Schmidt")):
        place = tmp_path / f"{who}_MRT" / folder
        place.mkdir(parents=True)
        data = np.full((4, 4, 4), number, np.int16)
        sidecar = {"PatientName": f"{who}^Hans"}
        sidecar |= {"StudyInstanceUID": f"1.{number}"} if uids else {}
        for name in ("t1", "t1_gd", "t2", "flair"):
            nib.save(nib.Nifti1Image(data, np.eye(4)), place / f"ax_{name}.nii.gz")
            (place / f"ax_{name}.json").write_text(json.dumps(sidecar))
    names = [find_source(tmp_path / f"{who}_MRT", {}).name for who in ("Mueller", "Schmidt")]
    assert names[0] != names[1] and all(name.startswith("case_") for name in names)
    assert find_source(tmp_path / "Mueller_MRT", {}).name == names[0]


def test_the_neutral_name_is_that_of_the_study_and_the_same_each_time(tmp_path):
    for folder, study in (("Smith", "1.2"), ("again/Smith", "1.2"), ("later/Smith", "1.3")):
        write(tmp_path / folder, patient="99", PatientName="Smith^John", study=study)
    first, again, later = (
        find_source(tmp_path / folder, {}, allow_missing=True).name
        for folder in ("Smith", "again/Smith", "later/Smith")
    )
    assert first == again != later
    assert first.startswith("case_") and "smith" not in first.lower()


def test_an_identity_that_was_removed_names_nobody(tmp_path):
    tags = {"PatientName": "TCGA-FG-6692", "PatientIdentityRemoved": "YES"}
    folder = write(tmp_path / "TCGA-FG-6692", patient="TCGA-FG-6692", **tags)
    assert find_source(folder, {}, allow_missing=True).name == "TCGA-FG-6692"


def test_series_that_are_named_one_by_one_are_checked_too(tmp_path):
    folder = write(tmp_path / "Smith" / "t1c", patient="99", PatientName="Smith^John")
    source = find_source(None, {"t1ce": folder}, allow_missing=True)
    assert source.name.startswith("case_")
