"""Whoever drops a patient's folder learns of a visit in it that is not prepared yet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dicom_cases import SHAPE, noise, write_series
from raw_scans import prepared_by_hand, write_raw_scan
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

from napari_smalltumor import notify
from napari_smalltumor.loading.folders.unprepared_scans import unprepared_scans
from napari_smalltumor.loading.open_case import open_and_remember
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def patient(tmp_path):
    """A folder with two visits, the first of which is prepared."""
    folder, grid = tmp_path / "Kessler", grid_along("LPS", SHAPE)
    for number, visit in enumerate(("2025-03-12", "2025-06-20"), start=1):
        write_series(folder / visit, noise(number), grid, "Ax T1 POST", study=f"1.2.{number}")
    (series,) = find_studies(folder / "2025-03-12").studies[0].series
    prepared = prepared_by_hand(write_raw_scan(tmp_path / "raw"))
    sequences = {m: replace(s, uid=series.uid) for m, s in prepared.sequences.items()}
    write_prepared(replace(prepared, sequences=sequences), folder / "prepared" / "Pat")
    return folder


def test_the_study_that_no_case_is_made_of_is_named(patient):
    (text,) = unprepared_scans(patient, patient / "prepared" / "Pat")
    assert text == f"the scan of patient P1, 2024-01-02 in {patient / '2025-06-20'}"


def test_it_is_told_when_the_folder_is_opened_and_its_case_shown(
    make_napari_viewer, in_loop, patient, qtbot, monkeypatch
):
    told: list[str] = []
    monkeypatch.setattr(notify, "info", told.append)
    viewer = make_napari_viewer()
    in_loop(open_and_remember, viewer, patient)
    qtbot.waitUntil(lambda: active_patient(viewer).title == "Pat")
    qtbot.waitUntil(lambda: any("also holds" in text for text in told))
    (text,) = (text for text in told if "also holds" in text)
    assert text.startswith(f"Opened: the case in {patient / 'prepared' / 'Pat'}. Kessler also")


def test_nothing_is_said_of_a_folder_without_other_scans(patient):
    for file in (patient / "2025-06-20").iterdir():
        file.unlink()
    assert list(unprepared_scans(patient, patient / "prepared" / "Pat")) == []
