"""What identifies the patient is not kept with a case, although warnings tell it to the user."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_cases import TIMES, write_series
from smalltumor.scanner.preparation.prepare import prepare
from smalltumor.scanner.preparation.prepared_files import record
from smalltumor.scanner.preparation.recorded_warnings import recorded
from smalltumor.scanner.source import find_source
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

SHAPE = (40, 40, 10)
GRID = grid_along("LPS", SHAPE, (5, 5, 12))
NAMES = {"t1": "Ax T1", "t1ce": "Ax T1 POST", "t2": "Ax T2", "flair": "Ax FLAIR"}


def write_study(folder, *modalities, **tags):
    for number, modality in enumerate(NAMES, start=1):
        if modality in modalities or not modalities:
            data = np.zeros(SHAPE, np.uint16)  # skull-stripped
            brain = np.s_[8:-8, 8:-8, 1:-1]
            data[brain] = np.random.default_rng(number).integers(100, 900, data[brain].shape)
            times = TIMES[modality]
            write_series(
                *(folder / modality, data, GRID, NAMES[modality]),
                number=number,
                times=times,
                **tags,
            )
    return folder


def series_of(folder):
    return [series for study in find_studies(folder).studies for series in study.series]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("only patient 0815, 20240102 of 2 studies has it", "only patient (removed), (removed) of"),
        ("the headers name 2: Meier^Anna^Maria and x", "the headers name 2: (removed) and x"),
        ("MEIER/Anna Maria/07 is damaged", "(removed) (removed)/07 is damaged"),
        ("scan/MEIER/07 is damaged (no UID)", "07 is damaged (no UID)"),
        ("T2: 10815 of 12 slices", "T2: 10815 of 12 slices"),
        (r"C:\Meier Anna\scan\07 is damaged", "07 is damaged"),
    ],
)
def test_names_ids_dates_and_folders_are_removed(tmp_path, text, kept):
    write_study(tmp_path, "t1", patient="0815", PatientName="Meier^Anna^Maria")
    (found,) = recorded([text], series_of(tmp_path))
    assert kept.split("/")[-1] in found
    for word in ("0815,", "Meier", "MEIER", "Anna", "Maria", "20240102"):
        assert word not in found


def test_a_short_id_is_removed_behind_the_word_patient_alone(tmp_path):
    write_study(tmp_path, "t1", patient="2")
    (found,) = recorded(["patient 2 has 2 of 2 studies"], series_of(tmp_path))
    assert found == "patient (removed) has 2 of 2 studies"


def test_the_name_of_a_folder_that_tells_a_study_is_removed(tmp_path):
    for name in ("Meier_Anna", "Huber_Eva"):
        modalities = ("t1", "t1ce") if name == "Meier_Anna" else ("t1",)
        study = f"1.{len(name)}"
        write_study(tmp_path / name, *modalities, patient="ANON", study=study)
    source = find_source(tmp_path, {}, allow_missing=True)
    assert "(Meier_Anna) of 2 studies" in source.warnings[0]
    (found, *_) = recorded(source.warnings, source.series)
    assert "Meier" not in found and "((removed)) of 2 studies" in found


def test_the_record_of_a_case_tells_neither_name_nor_id(tmp_path):
    scan = tmp_path / "MEIER_ANNA"
    write_study(scan / "now", patient="PAT0815", PatientName="Meier^Anna")
    write_study(scan / "then", "t2", study="1.7", patient="PAT0815", PatientName="Huber^Anne")
    (scan / "now" / "damaged.dcm").write_bytes(b"damaged")
    source = find_source(scan, {"t2": scan / "then" / "t2"}, study=1)
    told = "; ".join(source.warnings)
    assert "Huber^Anne" in told and "patient PAT0815" in told and "damaged.dcm" in told
    kept = "; ".join(record(prepare(source))["warnings"])
    assert "is of another study" in kept and "damaged.dcm" in kept
    for word in ("Meier", "MEIER", "Anna", "Huber", "PAT0815"):
        assert word not in kept
