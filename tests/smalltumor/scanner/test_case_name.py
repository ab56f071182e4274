"""The name that is proposed for a case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_cases import write_series
from smalltumor.scanner.case_name import names_patient, neutral_name, proposed_name
from smalltumor.scanner.source import find_source
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

SHAPE = (24, 20, 12)


def write(folder: Path, **tags: object) -> Path:
    grid = grid_along("LPS", SHAPE)
    image = np.random.default_rng(0).integers(1, 900, SHAPE).astype(np.uint16)
    return write_series(folder, image, grid, "Ax T1 post gd", **tags)


@pytest.mark.parametrize(
    ("folder", "patient", "name", "expected"),
    [
        ("Müller_Anna_2024", "7", "Mueller^Anna", True),
        ("mueller", "7", "MÜLLER^Anna", True),
        ("MULLER", "7", "Müller^Anna", True),
        ("scan 00123-456", "00123456", "Anonymous", True),
        ("scan 17", "17", "X^Y", False),
        ("glioma study", "4711", "Li^Xu", False),
        ("annals", "4711", "Anna", False),
        ("P0815_baseline", "P0815", "", True),
        ("baseline", "", "", False),
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
