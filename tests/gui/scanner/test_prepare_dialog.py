"""A folder of DICOM files is dropped, prepared, and opened as a case."""

from __future__ import annotations

import shutil
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from head_cases import NAMES
from napari_cases import write_case_along
from qtpy.compat import isalive
from qtpy.QtCore import QRect, Qt, QTimer
from qtpy.QtWidgets import QApplication, QProgressDialog, QPushButton
from raw_scans import prepared_by_hand, write_raw_scan
from smalltumor.data.volumes.nifti import read_nifti
from smalltumor.errors import Cancelled
from smalltumor.geometry.grid import Grid
from smalltumor.scanner.prepared.lock import locked_preparation
from smalltumor.scanner.studies import find_studies

from napari_smalltumor import devices
from napari_smalltumor.layers.masks.brain_mask import brain_mask_of
from napari_smalltumor.loading.folders import scans
from napari_smalltumor.loading.folders.scans import show_preparation
from napari_smalltumor.loading.jobs.loader import loader_of
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.scanner import archives
from napari_smalltumor.scanner import plan as plan_module
from napari_smalltumor.scanner import preparation as preparation_module
from napari_smalltumor.scanner.dialog import PrepareDialog
from napari_smalltumor.scanner.plan import Plan
from napari_smalltumor.scanner.preparation import Preparation

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no transforms")


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(devices, "find_devices", lambda *arguments: None)
    monkeypatch.setattr(plan_module, "missing_packages", lambda modules: [])
    return make_napari_viewer()


@pytest.fixture
def steps(monkeypatch):
    """The preparation by hand in place of the networks; it waits until it may end."""
    import smalltumor.scanner.preparation.prepare as prepare_module

    may_end = threading.Event()

    def prepare(source, *, cancelled, progress, **options):
        progress(0.5, "registering T2")
        while not may_end.wait(0.01):
            if cancelled():
                raise Cancelled("cancelled")
        scan = source.assignment.chosen["t1ce"].location.parent
        return replace(prepared_by_hand(scan, source.name), scan_warnings=source.warnings)

    monkeypatch.setattr(prepare_module, "prepare", prepare)
    yield may_end
    may_end.set()


def dialogs() -> list[Preparation]:
    shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, PrepareDialog)]
    return [w.findChild(Preparation) for w in shown if w.isVisible()]


def in_loop(function, *arguments) -> None:
    QTimer.singleShot(0, lambda: function(*arguments))


def drop(viewer, folder: Path) -> None:
    viewer.open(str(folder), plugin="napari-smalltumor")


def drop_together(viewer, paths: list[Path]) -> None:
    viewer.open([str(path) for path in paths], stack=True, plugin="napari-smalltumor")


def preparation_of(qtbot) -> Preparation:
    qtbot.waitUntil(lambda: bool(dialogs()))
    (found,) = dialogs()
    qtbot.waitUntil(lambda: not found.busy)
    return found


@pytest.mark.slow
def test_a_dropped_scan_is_prepared_and_opened_as_a_case(
    viewer, tmp_path, qtbot, steps, messages, monkeypatch
):
    shown = []
    monkeypatch.setattr(scans, "open_dock", lambda viewer, name: shown.append(name))
    other = write_case_along(tmp_path / "Other", labels=False)
    scan = write_raw_scan(tmp_path / "hospital" / "Pat")
    # Converters give names that have nothing in common: each alone is like a case of its own.
    for number, path in enumerate(sorted(scan.iterdir())):
        ending = path.name.removeprefix("ax_").replace("t1_post_gd", "t1c")
        path.rename(scan / f"{number}x_{ending}")
    in_loop(drop, viewer, scan)
    preparation = preparation_of(qtbot)
    dialog = preparation.dialog
    assert not (scan.parent / "prepared").exists()  # nothing starts before Prepare
    assert "Registration" in dialog.steps.text() and dialog.open_button.isHidden()
    dialog.prepare_button.click()
    qtbot.waitUntil(lambda: dialog.step.text() == "registering T2")
    open_case(viewer, other)  # the window can be used meanwhile
    assert active_patient(viewer).title == "Other"
    steps.set()
    qtbot.waitUntil(lambda: active_patient(viewer).title == "Pat")
    brain = brain_mask_of(active_patient(viewer).layers)
    assert brain.name == "Pat brain mask" and not brain.visible and brain.data.any()
    assert [x.name for x in active_patient(viewer).layers if x.visible] == ["Pat T1CE"]
    assert [x.name for x in viewer.layers.selection] == ["Pat T1CE"]
    assert (scan.parent / "prepared" / "Pat" / "Pat_prepared.json").is_file()
    assert not dialogs()
    assert [m for m in messages if "T2 may not be registered" in m]
    qtbot.waitUntil(lambda: bool(shown))
    assert shown == ["Prepared scan"]
    in_loop(drop, viewer, scan)
    again = preparation_of(qtbot).dialog
    assert f"Prepared already, in {scan.parent / 'prepared' / 'Pat'}" in again.message.text()
    assert again.output.text().endswith("Pat_2") and again.prepare_button.isEnabled()
    open_case(viewer, other)
    assert active_patient(viewer).title == "Other"
    again.open_button.click()
    qtbot.waitUntil(lambda: active_patient(viewer).title == "Pat")
    qtbot.waitUntil(lambda: not dialogs())


def test_a_cancelled_preparation_writes_nothing_and_can_be_started_again(
    viewer, tmp_path, qtbot, steps, messages
):
    scan = write_raw_scan(tmp_path / "hospital" / "Pat")
    in_loop(open_and_remember, viewer, scan)
    dialog = preparation_of(qtbot).dialog
    dialog.prepare_button.click()
    dialog.reject()  # as Escape
    qtbot.waitUntil(lambda: dialog.prepare_button.isVisible())
    assert dialog.isVisible() and not (scan.parent / "prepared").exists()
    assert messages == [] and len(viewer.layers) == 0
    dialog.reject()
    qtbot.waitUntil(lambda: not dialogs())


def test_a_folder_that_another_preparation_writes_to_is_refused_at_once(
    viewer, tmp_path, qtbot, messages
):
    in_loop(open_and_remember, viewer, write_raw_scan(tmp_path / "Pat"))
    dialog = preparation_of(qtbot).dialog
    with locked_preparation(Path(dialog.output.text())):
        dialog.prepare_button.click()
        qtbot.waitUntil(lambda: bool(messages))
    assert messages == [
        f"Another preparation or correction is writing to {dialog.output.text()}; try again when "
        "it has ended"
    ]
    qtbot.waitUntil(dialog.prepare_button.isVisible)
    dialog.reject()


def test_a_window_that_is_closed_cancels_the_preparation(viewer, tmp_path, qtbot, steps, raised):
    viewer.window._qt_window.show()
    in_loop(open_and_remember, viewer, write_raw_scan(tmp_path / "hospital" / "Pat"))
    preparation = preparation_of(qtbot)
    preparation.dialog.prepare_button.click()
    qtbot.waitUntil(lambda: preparation.dialog.step.text() == "registering T2")
    worker = preparation._worker
    viewer.window._qt_window.hide()  # as its close does
    qtbot.waitUntil(lambda: not worker.is_running)
    assert worker.abort_requested and raised == []
    assert not (tmp_path / "hospital" / "prepared").exists()


def test_series_of_dicom_files_can_be_assigned_otherwise(viewer, tmp_path, qtbot):
    dicom_cases = pytest.importorskip("dicom_cases")
    grid = Grid((16, 16, 9), np.diag([-14.0, -14.0, 20.0, 1.0]))
    data = np.random.default_rng(0).integers(1, 1000, grid.shape)
    for number, modality in enumerate(("t1", "t2", "flair"), start=2):
        dicom_cases.write_series(
            tmp_path / "scan" / "DICOM" / str(number),
            data,
            grid,
            NAMES[modality],
            number=number,
            times=dicom_cases.TIMES[modality],
        )
    in_loop(drop, viewer, tmp_path / "scan")
    preparation = preparation_of(qtbot)
    dialog = preparation.dialog
    assert "Choose the T1CE in the column Use as." in dialog.message.text()
    assert not dialog.prepare_button.isEnabled()
    combo = dialog.table.cellWidget(0, 1)
    combo.setCurrentIndex(combo.findData("t1ce"))
    combo.activated.emit(combo.currentIndex())
    qtbot.waitUntil(lambda: not preparation.busy and dialog.prepare_button.isEnabled())
    assert dialog.message.text().startswith("⚠ Without T1 ")
    dialog.output.setText(str(tmp_path / "scan" / "case"))
    assert "lies within the scan" in dialog.message.text()
    assert not dialog.prepare_button.isEnabled()
    dialog.reject()


def test_files_of_several_folders_are_shown_with_their_folders(tmp_path, qtbot):
    scan = write_raw_scan(tmp_path / "Pat")
    for path in list(scan.iterdir()):
        folder = scan / f"of {path.name[:-7]}"
        folder.mkdir()
        path.rename(folder / path.name)
    plan = Plan(scan, find_studies(scan))
    dialog = PrepareDialog(None, scan)
    qtbot.addWidget(dialog)
    dialog.table.show_series(plan.series)
    titles = [dialog.table.cellWidget(row, 0).text() for row in range(4)]
    assert titles[0] == "of ax_t1/ax_t1.nii.gz"
    assert "The files of 4 folders are taken as one patient at one time." in plan.note


def test_a_folder_without_any_image_is_one_sentence(viewer, tmp_path, qtbot, messages):
    (tmp_path / "scan").mkdir()
    in_loop(open_and_remember, viewer, tmp_path / "scan")
    qtbot.waitUntil(lambda: bool(messages) and not loader_of(viewer).busy)
    assert len(messages) == 1 and "scan" in messages[0] and not dialogs()


@pytest.mark.one_binding
def test_files_of_the_scan_are_left_as_they_are(viewer, tmp_path, qtbot, steps):
    scan = write_raw_scan(tmp_path / "Pat")
    before = {path.name: path.read_bytes() for path in scan.iterdir()}
    steps.set()
    in_loop(open_and_remember, viewer, scan)
    preparation_of(qtbot).dialog.prepare_button.click()
    qtbot.waitUntil(lambda: active_patient(viewer).title == "Pat")
    assert {path.name: path.read_bytes() for path in scan.iterdir()} == before
    stored = read_nifti(tmp_path / "prepared" / "Pat" / "Pat_t1ce.nii.gz")
    assert stored.grid.matches(read_nifti(scan / "ax_t1_post_gd.nii.gz").grid)


@pytest.mark.one_binding
def test_the_window_shows_what_the_record_leaves_out(viewer, tmp_path, qtbot, steps, messages):
    scan = write_raw_scan(tmp_path / "Pat")
    (scan / "Meier.dcm").touch()
    (scan / "Meier.nii.gz").write_bytes(b"damaged")
    steps.set()
    in_loop(open_and_remember, viewer, scan)
    preparation_of(qtbot).dialog.prepare_button.click()
    qtbot.waitUntil(lambda: active_patient(viewer).title == "Pat")
    assert [m for m in messages if m.startswith("Pat: Meier.nii.gz ")]
    text = (tmp_path / "prepared" / "Pat" / "Pat_prepared.json").read_text()
    assert "a file of a volume cannot be read; it is left out" in text and "Meier" not in text


def test_images_of_one_case_of_several_in_a_folder_are_not_mixed(viewer, tmp_path, qtbot):
    for name in ("Meier", "Huber"):
        for path in write_raw_scan(tmp_path / name).iterdir():
            ending = path.name.removeprefix("ax_").replace("t1_post_gd", "t1ce")
            shutil.move(path, tmp_path / f"{name}_{ending}")
        (tmp_path / name).rmdir()
    in_loop(drop_together, viewer, sorted(tmp_path.glob("Meier_*")))
    preparation = preparation_of(qtbot)
    plan = preparation._plan
    assert {d.series.title.split("_")[0] for d in plan.series} == {"Meier"}
    assert set(plan.chosen) == {"t1", "t1ce", "t2", "flair"}
    assert plan.case_name == "Meier"
    preparation.dialog.reject()


def test_a_zip_archive_is_prepared_beside_it(viewer, tmp_path, qtbot, steps):
    write_raw_scan(tmp_path / "unzipped" / "study")
    archive = shutil.make_archive(str(tmp_path / "export" / "Pat"), "zip", tmp_path / "unzipped")
    steps.set()
    in_loop(drop, viewer, Path(archive))
    dialog = preparation_of(qtbot).dialog
    assert dialog.output.text() == str(tmp_path / "export" / "prepared" / "Pat")
    dialog.prepare_button.click()
    qtbot.waitUntil(lambda: active_patient(viewer).title == "Pat")
    assert {path.name for path in (tmp_path / "export").iterdir()} == {"Pat.zip", "prepared"}


@pytest.mark.one_binding
def test_unpacking_can_be_cancelled_and_other_cases_are_opened_meanwhile(
    viewer, tmp_path, qtbot, messages, monkeypatch
):
    folders: list[Path] = []

    def unpack(archive, folder, on_file):
        folders.append(folder)
        folder.mkdir()
        while True:
            on_file(1)
            time.sleep(0.01)

    monkeypatch.setattr(archives, "unpack", unpack)
    archive = write_archive(tmp_path / "Pat.zip", "1.dcm")
    in_loop(open_and_remember, viewer, archive)
    in_loop(open_and_remember, viewer, archive)  # once more, by mistake
    qtbot.waitUntil(lambda: bool(folders))
    in_loop(open_and_remember, viewer, write_case_along(tmp_path / "Other", labels=False))
    qtbot.waitUntil(lambda: active_patient(viewer).title == "Other")
    (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, QProgressDialog)]
    assert "Pat.zip" in dialog.labelText()
    qtbot.waitUntil(dialog.isVisible)
    dialog.findChild(QPushButton).click()
    qtbot.waitUntil(lambda: not folders[0].parent.exists() and not isalive(dialog))
    assert messages == [] and not dialogs()


def test_an_archive_without_a_scan_is_removed_at_once(
    viewer, tmp_path, qtbot, messages, monkeypatch
):
    monkeypatch.setattr(archives, "_UNPACKED", {})
    in_loop(open_and_remember, viewer, write_archive(tmp_path / "Pat.zip", "1.dcm"))
    qtbot.waitUntil(lambda: bool(messages) and not loader_of(viewer).busy)
    assert "holds no series of the head" in messages[0]
    assert archives._UNPACKED == {}


def test_an_archive_of_something_else_is_refused_in_one_sentence(viewer, tmp_path, qtbot, messages):
    in_loop(drop, viewer, write_archive(tmp_path / "x.zip", "letter.txt"))
    qtbot.waitUntil(lambda: bool(messages) and not loader_of(viewer).busy)
    assert len(messages) == 1 and "x.zip holds no images" in messages[0]


def write_archive(path: Path, name: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"text")
    return path


def test_a_damaged_archive_is_one_sentence(viewer, tmp_path, qtbot, messages):
    (tmp_path / "scan.zip").write_bytes(b"no archive")
    in_loop(open_and_remember, viewer, tmp_path / "scan.zip")
    qtbot.waitUntil(lambda: bool(messages) and not loader_of(viewer).busy)
    assert len(messages) == 1 and "scan.zip is a damaged zip archive" in messages[0]


def test_an_image_that_cannot_be_looked_at_is_said(viewer, tmp_path, qtbot, messages, monkeypatch):
    def fail(series):
        raise ValueError("unexpected")

    monkeypatch.setattr(preparation_module.SeriesImage, "of", staticmethod(fail))
    scan = write_raw_scan(tmp_path / "scan")
    preparation = show_preparation(viewer, Plan(scan, find_studies(scan)), print)
    qtbot.waitUntil(lambda: not preparation.busy)
    assert "cannot be read." in preparation.dialog.message.text()
    preparation.dialog.close()
    assert messages and set(messages) == {"ValueError('unexpected')"}


def test_a_series_that_may_be_mirrored_has_to_be_left_out(tmp_path, qtbot, monkeypatch):
    monkeypatch.setattr(plan_module, "missing_packages", lambda modules: [])
    scan = write_raw_scan(tmp_path / "Pat")
    flair = scan / "ax_flair.nii.gz"
    nib.save(nib.Nifti1Image(np.asarray(nib.load(flair).dataobj), None), flair)
    preparation = Preparation(None, Plan(scan, find_studies(scan)), print)
    dialog = preparation.dialog
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: not preparation.busy)
    assert "ax_flair.nii.gz: the header does not give left and right" in dialog.message.text()
    assert not dialog.prepare_button.isEnabled()
    row = next(n for n in range(4) if "flair" in dialog.table.cellWidget(n, 0).text())
    combo = dialog.table.cellWidget(row, 1)
    combo.setCurrentIndex(combo.findData(None))
    combo.activated.emit(combo.currentIndex())
    assert dialog.prepare_button.isEnabled() and "left and right" not in dialog.message.text()


def test_a_long_reason_is_shown_in_whole(tmp_path, qtbot, monkeypatch):
    monkeypatch.setattr(plan_module, "missing_packages", lambda modules: [])
    for name in ("t1", "t1ce", "t2", "flair"):
        for processed in ("", "_hdbet"):
            image = nib.Nifti1Image(np.ones((8, 8, 4), np.int16), np.eye(4))
            nib.save(image, tmp_path / f"TCGA-FG-6692-second-visit_{name}{processed}.nii.gz")
    preparation = Preparation(None, Plan(tmp_path, find_studies(tmp_path)), lambda path: None)
    table, dialog = preparation.dialog.table, preparation.dialog
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: not preparation.busy)
    reasons = [(row, table.item(row, 2).text()) for row in range(table.rowCount())]
    assert max(len(text) for _, text in reasons) > 90
    width = table.columnWidth(2)
    for row, text in reasons:
        wrapped = table.fontMetrics().boundingRect(
            QRect(0, 0, width, 1000), int(Qt.TextFlag.TextWordWrap), text
        )
        assert table.rowHeight(row) >= wrapped.height()
