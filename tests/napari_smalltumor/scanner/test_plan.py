"""What is prepared: studies and series, chosen by rules and by the user."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from raw_scans import write_raw_scan
from smalltumor.models.card import is_trained_with_modality_dropout
from smalltumor.scanner.deidentification.scan_warning import ScanWarning
from smalltumor.scanner.dicom.study_folder import StudyOfFile
from smalltumor.scanner.series import Acquisition, Series
from smalltumor.scanner.source import find_source
from smalltumor.scanner.studies import FolderContent, Study, find_studies

from napari_smalltumor import weights
from napari_smalltumor.scanner import plan as plan_module
from napari_smalltumor.scanner.plan import Plan


def series(title: str, *, patient: str = "P1", study: str = "1", problem: str = "") -> Series:
    return Series(
        title=title,
        patient=patient,
        study=study,
        date="20240102",
        acquisition=Acquisition(text=title),
        shape=(256, 256, 30),
        spacing=(0.9, 0.9, 5.0),
        location=Path(title),
        read=lambda: pytest.fail("voxels are not needed"),
        problem=problem,
    )


def study(*titles: str, patient: str = "P1", date: str = "20240102") -> Study:
    return Study(patient, "1", date, tuple(series(t, patient=patient) for t in titles))


def plan_of(*studies: Study, warnings: tuple[str, ...] = ()) -> Plan:
    found = tuple(ScanWarning((text,)) for text in warnings)
    return Plan(Path("/scans/X"), FolderContent(studies, found))


@pytest.fixture(autouse=True)
def all_packages(monkeypatch):
    monkeypatch.setattr(plan_module, "missing_packages", lambda modules: [])


ALL = ("t1", "t1 post gd", "t2", "flair", "dwi")


def test_recognised_series_come_first_each_with_its_reason():
    plan = plan_of(study(*ALL))
    assert [(d.series.title, d.modality) for d in plan.series] == [
        ("t1", "t1"),
        ("t1 post gd", "t1ce"),
        ("t2", "t2"),
        ("flair", "flair"),
        ("dwi", None),
    ]
    assert all(d.reason for d in plan.series)
    assert plan.problem == plan.note == ""


def test_a_series_that_the_user_chooses_replaces_the_one_before():
    plan = plan_of(study(*ALL, "another t2"))
    other = next(d for d in plan.series if d.series.title == "another t2")
    before = plan.chosen["t2"]
    assert other.modality is None
    plan.use(other.series, "t2")
    uses = {d.series.title: (d.modality, d.reason) for d in plan.series}
    assert uses["another t2"] == ("t2", "chosen by the user")
    assert uses[before.title][0] is None
    assert plan.source("case").assignment.chosen["t2"] is other.series


def test_a_series_is_used_for_one_sequence_only():
    plan = plan_of(study(*ALL))
    plan.use(plan.chosen["t2"], "flair")
    assert {m: s.title for m, s in plan.chosen.items()} == {
        "t1": "t1",
        "t1ce": "t1 post gd",
        "flair": "t2",
    }
    assert plan.note.startswith("Without T2 ")


def test_the_note_on_a_missing_sequence_is_true_of_the_shipped_weights():
    plan = plan_of(study("t1", "t1 post gd", "t2"))
    assert "The shipped weights can segment the case" in plan.note
    assert is_trained_with_modality_dropout(weights.card(""))


def test_a_sequence_that_is_given_back_gets_its_own_series_again():
    plan = plan_of(study(*ALL))
    before, t2 = plan.series, plan.chosen["t2"]
    plan.use(t2, "flair")
    plan.use(t2, "t2")
    assert plan.series == before
    plan.use(t2, "flair")
    plan.use(t2, None)
    assert {m: s.title for m, s in plan.chosen.items()} == {
        "t1": "t1",
        "t1ce": "t1 post gd",
        "flair": "flair",
    }


def test_a_series_is_called_another_one_of_its_sequence_only_beside_one():
    plan = plan_of(study(*ALL))
    flair = plan.chosen["flair"]
    reason = lambda: next(d.reason for d in plan.series if d.series is flair)  # noqa: E731
    plan.use(plan.chosen["t2"], "flair")
    assert reason().startswith("another FLAIR")
    plan.use(plan.chosen["flair"], None)
    plan.use(flair, None)
    assert "another" not in reason()


def test_without_a_t1ce_the_user_is_asked_for_it():
    plan = plan_of(study("t1", "t2", "flair"))
    assert plan.problem == "No series is T1CE. Choose the T1CE in the column Use as."
    plan.use(plan.chosen["t1"], "t1ce")
    assert plan.problem == ""


def test_of_two_patients_one_is_chosen_and_never_a_series_of_the_other():
    plan = plan_of(study(*ALL), study(*ALL, patient="P2"))
    assert plan.study is None and plan.series == [] and "Choose one" in plan.problem
    plan.choose_study(plan.studies[1])
    assert {d.series.patient for d in plan.series} == {"P2"}
    assert plan.problem == ""
    assert plan.case_name == "X_study2_20240102"


def test_the_study_of_the_opened_file_is_chosen_even_if_only_another_one_has_a_t1ce():
    studies = (
        Study("Anna", "1.2", "20240102", (series("t2", patient="Anna", study="1.2"),)),
        Study("Bert", "1.3", "20240102", (series("t1ce", patient="Bert", study="1.3"),)),
    )
    content = FolderContent(studies, ())
    plan = Plan(Path("/scans/X"), content, of_file=StudyOfFile(Path("/scans/X"), "1.2"))
    assert plan.study is studies[0] and "T1CE" in plan.problem
    assert Plan(Path("/scans/X"), content).study is None
    unknown = Plan(Path("/scans/X"), content, of_file=StudyOfFile(Path("/scans/X"), "1.4"))
    assert unknown.study is None and "Choose one" in unknown.problem


def test_a_folder_name_that_tells_nothing_is_not_the_name_of_the_case():
    plan = Plan(Path("/scans/Meier/DICOM"), FolderContent((study(*ALL),), ()))
    assert plan.case_name == "Meier"


def test_the_only_study_with_a_t1ce_is_chosen():
    plan = plan_of(study("survey"), study(*ALL, date="20240304"))
    assert plan.study is plan.studies[1]
    assert plan.case_name == "X_20240304"


def test_a_series_that_makes_no_volume_is_named():
    plan = plan_of(study(*ALL))
    broken = series("broken", problem="slices are missing")
    plan.use(broken, "t2")
    assert plan.problem == "broken cannot be used for T2: slices are missing."


def test_missing_packages_are_said_with_the_command(monkeypatch):
    monkeypatch.setattr(plan_module, "missing_packages", lambda modules: ["SimpleITK", "deepbet"])
    assert plan_of(study(*ALL)).problem == (
        "Preparing a scan needs SimpleITK and deepbet, which are not installed; install it with "
        'pip install "napari-smalltumor[raw]".'
    )


def test_warnings_on_a_folder_are_shown_and_further_ones_counted():
    found = ("a is damaged", "two files are there twice", "c is damaged", "d is damaged")
    shown = "A is damaged. Two files are there twice. C is damaged."
    assert plan_of(study(*ALL), warnings=found[:3]).note == shown
    plan = plan_of(study(*ALL), warnings=found)
    assert plan.note == f"{shown} 1 more warning will be in the record of the case."


def test_a_folder_of_nifti_files_is_a_plan(tmp_path):
    folder = write_raw_scan(tmp_path / "Anna")
    plan = Plan(folder, find_studies(folder))
    assert {m: s.title for m, s in plan.chosen.items()} == {
        "t1": "ax_t1.nii.gz",
        "t1ce": "ax_t1_post_gd.nii.gz",
        "t2": "ax_t2.nii.gz",
        "flair": "ax_flair.nii.gz",
    }
    assert plan.case_name == "Anna"


def test_a_series_used_against_its_name_is_said_before_preparing_and_after():
    plan = plan_of(study(*ALL))
    plain, after = (next(d.series for d in plan.series if d.series.title == t) for t in ALL[:2])
    plan.use(plain, "t1ce")
    plan.use(after, "t1")
    assert "T1CE: t1 was chosen by the user, but seems to be T1: " in plan.note
    assert len(plan.source("X").warnings) == 2
    plan.use(after, "t1ce")
    plan.use(plain, "t1")
    assert plan.note == "" and plan.source("X").warnings == ()


def test_the_dialog_and_the_command_say_the_same_about_a_scan(tmp_path):
    for number, name in enumerate(("Anna_t1", "Bert_t1ce", "Carl_t2", "Dora_flair")):
        data = np.random.default_rng(number).integers(1, 900, (9, 9, 30)).astype(np.int16)
        nib.save(nib.Nifti1Image(data, np.diag([20, 20, 5, 1])), tmp_path / f"{name}.nii.gz")
        sex = "F" if number else "M"
        (tmp_path / f"{name}.json").write_text(json.dumps({"PatientSex": sex}))
    (tmp_path / "damaged.nii.gz").write_bytes(b"damaged")
    plan = Plan(tmp_path, find_studies(tmp_path))
    plain, enhanced = plan.chosen["t1"], plan.chosen["t1ce"]
    plan.use(plain, "t1ce")
    plan.use(enhanced, "t1")
    swapped = {"t1ce": plain.location, "t1": enhanced.location}
    found = plan.source("X").warnings
    assert found == find_source(tmp_path, swapped).warnings
    texts = [str(warning) for warning in found]
    assert [text for text in texts if "damaged.nii.gz" in text]
    assert [text for text in texts if "two sexes" in text]
    assert [text for text in texts if "4 files are of one patient" in text]
    assert len([text for text in texts if "chosen by the user, but seems to be" in text]) == 2
    assert all(text[1:].rstrip(".") in plan.note for text in texts)
