"""A scan is found by one of its DICOM files, and by folders that are named as its sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from head_cases import NAMES as SERIES_NAMES
from qtpy.QtCore import QMimeData, QTimer, QUrl
from qtpy.QtWidgets import QApplication, QLabel
from raw_scans import NAMES, write_raw_scan
from smalltumor.geometry.grid import Grid

from napari_smalltumor import devices, notify
from napari_smalltumor.loading import dicom_files
from napari_smalltumor.loading.dropping import dropped_paths
from napari_smalltumor.loading.folders import scans
from napari_smalltumor.loading.jobs.load import load
from napari_smalltumor.loading.jobs.loader import loader_of
from napari_smalltumor.loading.window_reader import get_reader
from napari_smalltumor.scanner.dialog import PrepareDialog

dicom_cases = pytest.importorskip("dicom_cases")


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(devices, "find_devices", lambda *arguments: None)
    return make_napari_viewer()


@pytest.fixture
def study(tmp_path) -> Path:
    grid = Grid((16, 16, 9), np.diag([-14.0, -14.0, 20.0, 1.0]))
    data = np.random.default_rng(0).integers(1, 1000, grid.shape)
    for number, modality in enumerate(("t1ce", "flair"), start=1):
        dicom_cases.write_series(
            tmp_path / "hospital" / "study" / str(number),
            data,
            grid,
            SERIES_NAMES[modality],
            number=number,
            times=dicom_cases.TIMES[modality],
            suffix=".dcm",
        )
    return tmp_path / "hospital" / "study"


def dialogs() -> list[PrepareDialog]:
    shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, PrepareDialog)]
    return [w for w in shown if w.isVisible()]


def drop(viewer, *paths: Path) -> None:
    def open_each() -> None:
        for path in paths:  # as napari opens files that are dropped together
            viewer.open(str(path), plugin="napari-smalltumor")

    QTimer.singleShot(0, open_each)


def test_dicom_files_open_the_one_dialog_of_their_study_which_names_it(
    viewer, study, qtbot, monkeypatch
):
    messages: list[str] = []
    monkeypatch.setattr(notify, "info", messages.append)
    files = sorted((study / "1").iterdir())
    searched = []
    monkeypatch.setattr(dicom_files, "_TOGETHER_MS", 1000)  # a slow machine opens few in 100 ms
    monkeypatch.setattr(dicom_files, "load", lambda *job: (searched.append(job), load(*job)))
    drop(viewer, *files)
    qtbot.waitUntil(lambda: bool(dialogs()) and not loader_of(viewer).busy)
    (dialog,) = dialogs()
    assert dialog.scan == study
    assert any(str(study) in label.text() for label in dialog.findChildren(QLabel))
    assert dialog.table.rowCount() == 2
    assert len(searched) == 1
    drop(viewer, files[1])
    qtbot.waitUntil(lambda: len(searched) == 2 and not loader_of(viewer).busy)
    assert dialogs() == [dialog] and messages == []
    dialog.reject()


@pytest.mark.one_binding
def test_files_of_two_patients_in_one_folder_offer_the_study_of_each(
    viewer, tmp_path, qtbot, monkeypatch
):
    plans = []
    monkeypatch.setattr(scans, "show_preparation", lambda viewer, plan, then: plans.append(plan))
    grid = Grid((16, 16, 9), np.diag([-14.0, -14.0, 20.0, 1.0]))
    data = np.random.default_rng(0).integers(1, 1000, grid.shape)
    for number, (who, modality) in enumerate((("A", "t2"), ("B", "t1ce"), ("B", "flair"))):
        name, times = SERIES_NAMES[modality], dicom_cases.TIMES[modality]
        tags = {"patient": who, "study": f"1.{ord(who)}", "number": number, "times": times}
        write = dicom_cases.write_series
        write(tmp_path / "flat", data, grid, name, suffix=f"_{who}{number}.dcm", **tags)
    drop(viewer, min((tmp_path / "flat").glob("*_A*")), min((tmp_path / "flat").glob("*_B*")))
    qtbot.waitUntil(lambda: len(plans) == 2 and not loader_of(viewer).busy)
    assert {plan.study.patient: len(plan.series) for plan in plans} == {"A": 1, "B": 2}


def test_a_dicom_seg_is_no_scan(viewer, study, qtbot, monkeypatch):
    pydicom = pytest.importorskip("pydicom")
    errors: list[Exception] = []
    monkeypatch.setattr(notify, "report_error", errors.append)
    seg = study / "regions.dcm"
    header = pydicom.dcmread(min((study / "1").iterdir()))
    header.Modality, header.SeriesInstanceUID = "SEG", "1.2.3.99"
    header.SeriesDescription = "Tumour regions"
    header.save_as(seg)
    drop(viewer, seg)
    qtbot.waitUntil(lambda: bool(errors) and not loader_of(viewer).busy)
    assert str(errors[0]).startswith("regions.dcm is a DICOM SEG") and not dialogs()
    drop(viewer, min((study / "1").iterdir()), seg)
    qtbot.waitUntil(lambda: bool(dialogs()) and not loader_of(viewer).busy)
    (dialog,) = dialogs()
    assert dialog.table.rowCount() == 2 and len(errors) == 1
    dialog.reject()


def test_files_that_are_dropped_on_a_dock_are_opened(study):
    files = sorted((study / "1").iterdir())
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in files])
    assert dropped_paths(data) == (files, [])


def test_other_files_are_left_to_other_readers(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("notes")
    assert get_reader(str(text)) is None
    assert get_reader([str(text), str(text)]) is None


def test_folders_that_are_named_as_sequences_are_one_scan(viewer, tmp_path, qtbot):
    scan = write_raw_scan(tmp_path / "Pat")
    for modality, name in NAMES.items():
        (scan / modality.upper()).mkdir()
        (scan / f"{name}.nii.gz").rename(scan / modality.upper() / "image.nii.gz")
    drop(viewer, scan)
    qtbot.waitUntil(lambda: bool(dialogs()) and not loader_of(viewer).busy)
    (dialog,) = dialogs()
    assert dialog.scan == scan and dialog.table.rowCount() == 4
    dialog.reject()
