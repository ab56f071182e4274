"""The Compare dock in a real window: choosing a reference, painting, clicking, two patients."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from lesion_layers import SHAPE, classes, show_regions, synthetic_case
from napari.layers import Layer
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication
from smalltumor.data.case import Case
from smalltumor.geometry.mirroring import mirrored
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import READ_SCHEMES, SCHEMES

from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.compare.dock import CompareDock
from napari_smalltumor.compare.expert_banner import ExpertBanner
from napari_smalltumor.compare.scores import LesionStatus
from napari_smalltumor.layers.create import image_layers, labels_layer
from napari_smalltumor.layers.masks.reference import reference_layers
from napari_smalltumor.layers.patient import patient_of_case
from napari_smalltumor.loading.labels import schemes as label_schemes
from napari_smalltumor.patients.active_patient import active_patient

SCHEME = SCHEMES["brats2018"]


def write_mask(folder: Path, case: Case, voxels: np.ndarray, name: str) -> Path:
    path = folder / name
    nib.save(nib.Nifti1Image(SCHEME.encode(voxels), case.grid.affine), path)
    return path


def reference_classes() -> np.ndarray:
    """The regions' classes without the lesion of 2 voxels, and with another one of 8 voxels."""
    voxels = classes()
    voxels[2:4, 20, 5] = TissueClass.BACKGROUND
    voxels[20:22, 2:4, 2:4] = TissueClass.ET
    return voxels


def open_case(viewer, tmp_path, name="Pat") -> Case:
    """Images and regions of a patient whose folder has an expert's mask, not opened."""
    case = synthetic_case()
    case.name, case.folder = name, tmp_path / name
    case.folder.mkdir()
    case.scheme_hint = SCHEME.name
    case.labels_path = write_mask(case.folder, case, reference_classes(), f"{name}_seg.nii.gz")
    for data in image_layers(case):
        viewer.add_layer(Layer.create(*data))
    show_regions(viewer, case)
    return case


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def case(viewer, tmp_path) -> Case:
    return open_case(viewer, tmp_path)


@pytest.fixture
def dock(viewer, case) -> CompareDock:
    dock = CompareDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Compare")
    return dock


@pytest.fixture
def compared(dock, qtbot) -> CompareDock:
    dock.expert_button.click()
    qtbot.waitUntil(lambda: bool(dock.model.rows))
    return dock


def listed(dock) -> list[tuple[str, int]]:
    return [(str(row.status), row.lesion.voxels) for row in dock.model.rows]


def wait(dock, qtbot) -> None:
    dock.update_choices()
    qtbot.waitUntil(lambda: not dock.busy)


@pytest.mark.one_binding
def test_a_file_can_be_chosen_only_while_a_patient_is_open(viewer, dock, qtbot):
    assert dock.file_button.isEnabled()
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not dock.file_button.isEnabled())
    assert dock.file_button.toolTip() == "Open a case first"


@pytest.mark.one_binding
def test_the_expert_mask_beside_the_images_is_offered_and_compared(dock, qtbot):
    assert not dock.expert_button.isHidden()
    assert dock.scores.text(Region.ET)[1] == "–"
    dock.expert_button.click()
    qtbot.waitUntil(lambda: bool(dock.model.rows))
    assert dock.expert_button.isHidden()
    assert dock.reference_box.currentText() == "Pat_seg.nii.gz"
    assert listed(dock)[:2] == [("missed", 8), ("false", 2)]
    assert {status for status, _ in listed(dock)[2:]} == {"found"}
    segmentation, reference, difference, dice = dock.scores.text(Region.ET)
    assert (segmentation, reference) == ("0.690", "0.708")  # 230 and 236 voxels of 3 mm³
    assert difference == "\u22120.018"
    assert float(dice) == pytest.approx(2 * 228 / (230 + 236), abs=6e-4)
    assert dock.summary.text().startswith("1 missed, 1 false")


@pytest.mark.one_binding
def test_scores_follow_a_stroke_and_its_undo(viewer, compared, qtbot):
    layer = viewer.layers["Pat ET"]
    before = compared.scores.text(Region.ET)
    shown = reference_layers(viewer.layers)[Region.ET].data
    layer.data_setitem(np.nonzero(shown), 1)
    qtbot.waitUntil(lambda: listed(compared)[0] == ("false", 2))
    assert compared.scores.text(Region.ET) != before
    layer.undo()
    qtbot.waitUntil(lambda: listed(compared)[0] == ("missed", 8))
    assert compared.scores.text(Region.ET) == before


def test_a_click_on_a_row_flies_to_its_lesion(viewer, compared, qtbot):
    place = compared.table.visualRect(compared.model.index(0, 1)).center()
    qtbot.mouseClick(compared.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    missed = compared.model.rows[0]
    assert missed.status is LesionStatus.MISSED
    right, front, top = missed.lesion.centroid_ras_mm
    step = max(viewer.layers["Pat ET"].scale) / 2 + 0.01
    assert viewer.dims.point[0] == pytest.approx(-top, abs=step)
    assert viewer.scene.camera.center[1:] == pytest.approx((-front, -right), abs=step)


@pytest.mark.one_binding
def test_the_comparison_goes_and_returns_with_its_patient(viewer, compared, tmp_path, qtbot, case):
    scores = compared.scores.text(Region.ET)
    rows = listed(compared)
    open_case(viewer, tmp_path, "Other")
    assert listed(compared) == []
    wait(compared, qtbot)
    assert compared.reference_box.currentText() == "none"
    assert compared.scores.text(Region.ET)[1:] == ["–", "–", "–"]
    assert not any(layer.visible for layer in reference_layers(viewer.layers).values())
    active_patient(viewer).activate(patient_of_case(case))
    qtbot.waitUntil(lambda: listed(compared) == rows)
    assert compared.scores.text(Region.ET) == scores
    assert compared.reference_box.currentText() == "Pat_seg.nii.gz"


@pytest.mark.slow
def test_a_layer_is_compared_hidden_and_followed(viewer, dock, case, qtbot):
    data = labels_layer(case, SCHEME.encode(reference_classes()), SCHEME)
    expert = viewer.add_layer(Layer.create(*data))
    wait(dock, qtbot)
    assert dock.reference_box.findText("Pat labels") > 0
    dock.expert_button.click()
    qtbot.waitUntil(lambda: listed(dock)[:1] == [("missed", 8)])
    assert dock.expert_button.isHidden()
    assert not expert.visible
    scores = dock.scores.text(Region.ET)
    expert.data_setitem(np.nonzero(expert.data == 4), 0)
    qtbot.waitUntil(lambda: dock.scores.text(Region.ET)[1] == "0.00")
    expert.visible = True
    expert.undo()
    qtbot.waitUntil(lambda: dock.scores.text(Region.ET) == scores)


def test_regions_that_a_layer_does_not_tell_have_no_scores(viewer, dock, case, qtbot):
    known = READ_SCHEMES["hd-glio"].known_classes
    data = labels_layer(case, SCHEME.encode(reference_classes()), SCHEME, known=known)
    data[0][data[0] == SCHEME.ncr] = 0
    expert = viewer.add_layer(Layer.create(*data))
    wait(dock, qtbot)
    dock.expert_button.click()
    qtbot.waitUntil(lambda: listed(dock)[:1] == [("missed", 8)])
    assert set(reference_layers(viewer.layers)) == {Region.ET}
    assert dock.scores.text(Region.TC)[1:] == ["–", "–", "–"]
    expert.data_setitem(np.nonzero(expert.data == SCHEME.et), 0)
    qtbot.waitUntil(lambda: dock.scores.text(Region.ET)[1] == "0.00")


@pytest.mark.slow
def test_the_file_of_the_expert_is_compared_and_not_the_layer_that_was_edited(
    viewer, dock, case, qtbot
):
    ensure_autosave(viewer)
    data = labels_layer(case, SCHEME.encode(reference_classes()), SCHEME)
    layer = viewer.add_layer(Layer.create(*data))
    wait(dock, qtbot)
    dock.expert_button.click()
    qtbot.waitUntil(lambda: listed(dock)[:1] == [("missed", 8)])
    assert dock.compared_with.toolTip() == "Pat labels"
    of_expert = dock.scores.text(Region.ET)
    layer.data_setitem(np.nonzero(layer.data == 4), 0)
    qtbot.waitUntil(lambda: dock.scores.text(Region.ET)[1] == "0.00")
    assert dock.compared_with.toolTip() == "Pat labels (edited)"
    assert dock.reference_box.currentText() == "Pat labels (edited)"
    assert not dock.expert_button.isHidden()
    dock.expert_button.click()
    qtbot.waitUntil(lambda: dock.scores.text(Region.ET) == of_expert)
    assert dock.compared_with.toolTip() == "Pat_seg.nii.gz"
    assert dock.expert_button.isHidden()


def test_why_a_file_was_refused_is_forgotten_with_its_patient(viewer, dock, case, tmp_path, qtbot):
    dock.compare_with_file(write_mask(tmp_path, case, reference_classes(), "Other_seg.nii.gz"))
    qtbot.waitUntil(lambda: "Other_seg.nii.gz" in dock.message.text() and not dock.busy)
    viewer.layers.clear()
    wait(dock, qtbot)
    for data in image_layers(case):
        viewer.add_layer(Layer.create(*data))
    show_regions(viewer, case)
    wait(dock, qtbot)
    assert "Other_seg" not in dock.message.text()


def test_a_dropped_mask_of_another_grid_is_refused_and_the_reference_stays(
    compared, tmp_path, qtbot
):
    path = tmp_path / "corrected.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros(SHAPE, np.uint8), np.eye(4)), path)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    no_key = Qt.KeyboardModifier.NoModifier
    # Through the event filter that opens the cases that are dropped on a dock.
    QApplication.sendEvent(compared, QDragEnterEvent(QPoint(9, 9), copy, data, left, no_key))
    QApplication.sendEvent(compared, QDropEvent(QPointF(9, 9), copy, data, left, no_key))
    qtbot.waitUntil(lambda: "another grid" in compared.message.text())
    assert compared.reference_box.currentText() == "Pat_seg.nii.gz"
    assert compared.compared_with.text() == "Compared with Pat_seg.nii.gz"
    assert listed(compared)[0] == ("missed", 8)
    compared.reference_box.activated.emit(compared.reference_box.currentIndex())
    qtbot.waitUntil(lambda: not compared.busy)
    assert compared.message.text() == ""


def test_a_reference_without_a_common_voxel_is_warned_about(dock, case, qtbot):
    elsewhere = np.zeros(SHAPE, np.uint8)
    elsewhere[-2:, -2:, -2:] = TissueClass.ET
    assert not classes()[-2:, -2:, -2:].any()
    write_mask(case.folder, case, elsewhere, "Pat_seg.nii.gz")
    dock.compare_with_expert()
    qtbot.waitUntil(lambda: "share no voxel" in dock.message.text())


def test_the_meaning_of_a_file_that_fits_several_schemes_is_asked_for(
    dock, case, tmp_path, qtbot, monkeypatch
):
    scheme, asked = READ_SCHEMES["brats2024-ped"], []
    monkeypatch.setattr(
        label_schemes, "ask_scheme", lambda parent, file, choices: asked.append(file) or scheme
    )
    case.scheme_hint = None
    path = tmp_path / "corrected.nii.gz"
    stored = scheme.encode(reference_classes())
    nib.save(nib.Nifti1Image(stored, case.grid.affine), path)
    dock.compare_with_file(path)
    qtbot.waitUntil(lambda: listed(dock)[:2] == [("missed", 8), ("false", 2)])
    assert asked == ["corrected.nii.gz (Pat)"]
    assert dock.reference_box.currentText() == "corrected.nii.gz"


def test_none_removes_the_reference_and_a_removed_layer_ends_its_scores(viewer, compared, qtbot):
    viewer.layers.remove("Pat reference ET")
    qtbot.waitUntil(lambda: not listed(compared))
    qtbot.waitUntil(lambda: compared.scores.text(Region.TC)[3] != "–")
    assert compared.scores.text(Region.ET)[1:] == ["–", "–", "–"]
    compared.reference_box.activated.emit(0)
    qtbot.waitUntil(lambda: not reference_layers(viewer.layers))
    assert not compared.expert_button.isHidden()


def test_the_expert_banner_after_a_segmentation_opens_the_dock(viewer, case, qtbot):
    expert_label = ExpertBanner(viewer)
    qtbot.addWidget(expert_label)
    assert not expert_label.isHidden()
    expert_label.button.click()
    qtbot.waitUntil(lambda: bool(reference_layers(viewer.layers)))
    qtbot.waitUntil(expert_label.isHidden)


@pytest.mark.one_binding
def test_a_closed_dock_leaves_the_contours_and_no_connection(viewer, compared, qtbot):
    viewer.window.remove_dock_widget(compared)
    layer = viewer.layers["Pat ET"]
    layer.data_setitem((np.array([1]), np.array([1]), np.array([1])), 1)
    assert not compared.busy
    assert len(reference_layers(viewer.layers)) == 3


@pytest.mark.one_binding
def test_a_mirrored_reference_is_said(dock, case, qtbot):
    image = dict(mirrored(reference_classes(), case.grid))["front to back"]
    write_mask(case.folder, case, image, "Pat_seg.nii.gz")
    dock.expert_button.click()
    qtbot.waitUntil(lambda: bool(dock.model.rows))
    text = dock.message.text()
    assert text.startswith("⚠ The reference or the segmentation seems to be mirrored: they have a")
    assert "mirrored front to back, and 0." in text
