"""Brain mask and registration of a prepared scan are corrected in the window."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from napari_cases import write_case_along
from qtpy.QtWidgets import QApplication, QFileDialog
from raw_scans import SHIFT_MM, prepared_by_hand, write_raw_scan
from shown_layers import newest_case_layers, show_segmentation
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import CaseError
from smalltumor.scanner.preparation import correction as correction_module
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.prepared.stored_case import stored_case

from napari_smalltumor import devices, questions
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.dialogs.export_dialog import ask_and_export
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.metadata import case_of, role_of
from napari_smalltumor.layers.modalities import case_of_layers
from napari_smalltumor.lesions.search.viewer_segmentation import lesion_sources
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.prepared_scan import job
from napari_smalltumor.prepared_scan.dock import PreparedScanDock
from napari_smalltumor.prepared_scan.panel import NOT_PREPARED
from napari_smalltumor.scanner.known_scans import forget_scan, remember_scan, scan_of
from napari_smalltumor.segment.results import IMAGES_CHANGED

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no registration")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A Dice in place of the one by the network."""
    monkeypatch.setattr(correction_module, "brain_overlap", lambda *arguments: 0.97)


@pytest.fixture
def scan(tmp_path):
    return write_raw_scan(tmp_path / "scan")


@pytest.fixture
def folder(scan, tmp_path):
    """The prepared case; its scan is known, as after a preparation in the window."""
    write_prepared(prepared_by_hand(scan), tmp_path / "Pat")
    remember_scan(tmp_path / "Pat", scan)
    yield tmp_path / "Pat"
    forget_scan(tmp_path / "Pat")


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch, folder):
    monkeypatch.setattr(devices, "find_devices", lambda *arguments: None)
    viewer = make_napari_viewer()
    open_case(viewer, folder)
    return viewer


@pytest.fixture
def dock(viewer, qtbot):
    dock = PreparedScanDock(viewer)
    viewer.window.add_dock_widget(dock, area="right")
    yield dock
    qtbot.waitUntil(lambda: not dock.busy)


def layer_of(viewer, ending: str):
    return next(x for x in viewer.layers if x.name.endswith(ending))


@pytest.mark.one_binding
def test_figures_and_warnings_of_the_preparation_are_shown(dock, viewer, tmp_path, qtbot):
    rows = [[dock.figures.item(r, c).text() for c in range(4)] for r in range(4)]
    assert rows[0] == ["T1CE", "–", "–", "–"]
    assert rows[2] == ["T2", "6.0 mm", "0.95", "0.10 → 0.40"]
    assert "T2 may not be registered" in dock.warnings.text()
    open_case(viewer, write_case_along(tmp_path / "Other"))
    qtbot.waitUntil(lambda: dock.explanation.text() == NOT_PREPARED and dock.prepared is None)


def test_the_dock_fits_into_a_low_window_whatever_it_warns_of(dock):
    dock.warnings.setText("a warning of a few lines\n" * 30)
    QApplication.processEvents()
    assert dock.minimumSizeHint().height() < 500


def test_a_brain_mask_is_no_region_and_no_source_of_lesions(viewer):
    brain = layer_of(viewer, "brain mask")
    assert role_of(brain).region is None and not brain.visible and brain.contour == 1
    assert lesion_sources(viewer.layers) == []


def test_a_painted_brain_mask_strips_the_images_again(dock, viewer, folder, qtbot, errors):
    brain, t2 = layer_of(viewer, "brain mask"), layer_of(viewer, "T2")
    dock.edit_button.click()
    assert brain.visible and brain.mode == "paint" and list(viewer.layers.selection) == [brain]
    qtbot.waitUntil(lambda: not dock.busy)
    head, t1ce = layer_of(viewer, "whole head"), layer_of(viewer, "T1CE")
    assert np.all(head.data) and head.visible and not t1ce.visible
    assert list(viewer.layers.selection) == [brain]
    assert case_of_layers(newest_case_layers(viewer.layers)) is case_of(t2)
    painted = brain.data.copy()
    painted[:, :13] = 0
    painted[2, 14:18, 14:18] = 1  # outside of the mask before
    brain.data = painted
    before = t2.data.copy()
    autosave = ensure_autosave(viewer).autosave
    assert autosave.edited(viewer.layers) == ["Pat brain mask"]
    dock.apply_mask_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    assert errors == [] and dock.step.text() == "Stored. Segment the case."
    assert not np.any(t2.data[painted == 0]) and np.any(t2.data[2, 14:18, 14:18])
    assert autosave.edited(viewer.layers) == []
    qtbot.waitUntil(lambda: head not in viewer.layers)
    assert t1ce.visible and not dock.edit_button.isChecked()
    same = (painted != 0) & (before != 0)
    np.testing.assert_array_equal(t2.data[same], before[same])
    stored = read_case(folder)
    for modality, volume in stored.volumes.items():
        layer = layer_of(viewer, f" {modality.upper()}")
        np.testing.assert_array_equal(from_display(layer.data, stored.grid), volume)
    assert stored_case(stored).sequences["t1ce"].steps[-1].text == "brain mask corrected by hand"
    # What is segmented now is the new image, of the same case.
    assert case_of_layers(newest_case_layers(viewer.layers)) is case_of(t2)
    dock.apply_mask_button.click()
    assert dock.step.text() == "The brain mask is applied already."


@pytest.mark.one_binding
def test_an_archive_of_an_earlier_session_is_unpacked_for_a_correction(
    dock, viewer, folder, scan, tmp_path, qtbot, errors
):
    archive = Path(shutil.make_archive(str(tmp_path / "study"), "zip", scan))
    remember_scan(folder, archive)
    brain = layer_of(viewer, "brain mask")
    painted = brain.data.copy()
    painted[:, :13] = 0
    brain.data = painted
    dock.apply_mask_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    assert errors == [] and dock.step.text() == "Stored. Segment the case."
    assert scan_of(folder) == archive


def test_an_empty_brain_mask_is_refused_and_the_scan_stays_known(dock, viewer, folder, scan):
    brain = layer_of(viewer, "brain mask")
    brain.data = np.zeros_like(brain.data)
    dock.apply_mask_button.click()
    assert not dock.busy and dock.step.text() == "The brain mask is empty. Paint the brain first."
    assert scan_of(folder) == scan


@pytest.mark.one_binding
def test_an_error_that_is_not_of_the_scan_keeps_it_known(
    dock, viewer, folder, scan, qtbot, errors, monkeypatch
):
    def fail(*arguments, **options):
        raise CaseError("a network drive is away")

    monkeypatch.setattr(job, "corrected", fail)
    brain = layer_of(viewer, "brain mask")
    brain.data = np.ones_like(brain.data)
    dock.apply_mask_button.click()
    qtbot.waitUntil(lambda: bool(errors) and not dock.busy)
    assert scan_of(folder) == scan


@pytest.mark.one_binding
def test_a_shift_is_shown_at_once_and_stored_on_request(dock, viewer, folder, qtbot, errors):
    t2 = layer_of(viewer, "T2")
    stored = np.array(t2.data)
    dock.registration.sequences.setCurrentIndex(dock.registration.sequences.findData("t2"))
    dock.registration.shift[0].setValue(5.0)  # a voxel to the patient's right
    qtbot.waitUntil(lambda: not np.array_equal(t2.data, stored) and not dock.busy)
    np.testing.assert_allclose(t2.data[:, :, :-1], stored[:, :, 1:], atol=0.5)
    assert t2.visible and layer_of(viewer, "T1CE").opacity == 0.5
    with pytest.raises(CaseError, match="T2 is shown with a registration that is not applied"):
        case_of_layers(newest_case_layers(viewer.layers))
    dock.registration.reset_button.click()
    assert case_of_layers(newest_case_layers(viewer.layers)) is case_of(t2)
    np.testing.assert_array_equal(t2.data, stored)
    assert not t2.visible and layer_of(viewer, "T1CE").opacity == 1.0
    dock.registration.shift[0].setValue(5.0)
    dock.registration.apply_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    assert errors == [] and not dock.registration.moves
    assert case_of_layers(newest_case_layers(viewer.layers)).name == "Pat"
    found = stored_case(read_case(folder)).sequences["t2"]
    np.testing.assert_allclose(found.registration.matrix[:3, 3], (SHIFT_MM - 5.0, 0, 0), atol=1e-6)
    assert found.overlap == 0.97
    assert dock.figures.item(2, 2).text() == "0.97"


def test_the_end_of_a_preview_does_not_make_its_patient_active_again(dock, viewer, tmp_path, qtbot):
    patients, t2 = active_patient(viewer), layer_of(viewer, "T2")
    first = patients.current
    open_case(viewer, write_case_along(tmp_path / "Other"))
    other = patients.current
    patients.activate(first)
    qtbot.waitUntil(lambda: dock.registration.sequences.findData("t2") >= 0)
    t2.visible = True
    dock.registration.sequences.setCurrentIndex(dock.registration.sequences.findData("t2"))
    stored = np.array(t2.data)
    dock.registration.shift[0].setValue(5.0)
    qtbot.waitUntil(lambda: not np.array_equal(t2.data, stored) and not dock.busy)
    patients.activate(other)
    qtbot.waitUntil(lambda: np.array_equal(t2.data, stored))
    assert patients.current == other and not t2.visible
    patients.activate(first)
    assert t2.visible


def test_a_correction_is_compared_with_the_automatic_registration_and_taken_back(
    dock, viewer, folder, qtbot, errors
):
    t2, controls = layer_of(viewer, "T2"), dock.registration
    stored = np.array(t2.data)
    controls.sequences.setCurrentIndex(controls.sequences.findData("t2"))
    assert controls.automatic_button.isHidden() and controls.by_hand.isHidden()
    for shift_mm in (5.0, -7.0):  # two corrections, 2 mm to the left in all
        controls.shift[0].setValue(shift_mm)
        controls.apply_button.click()
        qtbot.waitUntil(lambda: not dock.busy)
    qtbot.waitUntil(lambda: dock.figures.item(2, 1).text() == "6.0 + 2.0 mm")
    assert controls.by_hand.text() == (
        "Moved by hand from the automatic registration: shifted 2.0 mm to the left."
    )
    controls.sequences.setCurrentIndex(controls.sequences.findData("flair"))
    controls.sequences.activated.emit(controls.sequences.currentIndex())
    assert controls.automatic_button.isHidden()
    controls.sequences.setCurrentIndex(controls.sequences.findData("t2"))
    controls.sequences.activated.emit(controls.sequences.currentIndex())
    controls.automatic_button.click()
    qtbot.waitUntil(lambda: dock.figures.item(2, 1).text() == "6.0 mm" and not dock.busy)
    assert controls.automatic_button.isHidden()
    np.testing.assert_array_equal(t2.data, stored)
    found = stored_case(read_case(folder)).sequences["t2"]
    assert found.registration.matrix[0, 3] == SHIFT_MM and found.automatic is None
    assert errors == []


def test_regions_of_earlier_images_are_said_to_be_so_until_segmented_again(
    dock, viewer, dock_of, qtbot, monkeypatch, errors
):
    asked: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda *a: bool(asked.append(a[1])))
    case = case_of(layer_of(viewer, "T2"))
    result = Segmentation(case.name, np.ones(case.grid.shape, np.uint8), case.grid)
    show_segmentation(viewer, case, result)
    segment = dock_of(viewer)
    assert IMAGES_CHANGED not in segment.panel.results.text
    dock.registration.sequences.setCurrentIndex(dock.registration.sequences.findData("t2"))
    dock.registration.shift[0].setValue(5.0)
    dock.registration.apply_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    qtbot.waitUntil(lambda: IMAGES_CHANGED in segment.panel.results.text)
    assert dock.step.text() == "Stored. Segment the case again."
    assert ask_and_export(viewer, None, per_region=False) == []
    assert asked == ["Segmentation of earlier images"] and errors == []
    show_segmentation(viewer, case, result)
    qtbot.waitUntil(lambda: IMAGES_CHANGED not in segment.panel.results.text)


def test_strokes_on_a_brain_mask_that_are_not_applied_are_asked_about(viewer, dock_of, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda *a: bool(asked.append(a[1])))
    segment = dock_of(viewer)
    brain = layer_of(viewer, "brain mask")
    brain.data_setitem(tuple(np.array([0]) for _ in range(3)), [1 - brain.data[0, 0, 0]])
    segment.segment()
    assert asked == ["Brain mask not applied"] and not segment.is_running


def test_the_scan_is_asked_for_when_it_is_not_known(
    dock, viewer, folder, tmp_path, qtbot, errors, monkeypatch
):
    forget_scan(folder)
    wrong = write_raw_scan(tmp_path / "wrong")
    (wrong / "ax_t2.nii.gz").unlink()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *arguments: str(wrong))
    brain = layer_of(viewer, "brain mask")
    brain.data = np.ones_like(brain.data)
    dock.apply_mask_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    assert len(errors) == 1 and "is not the scan from which Pat was made" in errors[0]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *arguments: "")
    dock.apply_mask_button.click()  # it asks again; the user cancels
    assert not dock.busy
