"""The Follow-up dock compares the active patient's regions with an earlier scan."""

from __future__ import annotations

import threading
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from planes_in_window import open_planes, press
from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLineEdit, QListView
from report_cases import AFFINE, SHAPE, ball, brain_case, tumour
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import CaseError
from smalltumor.follow_up import ScanRegistration, compare
from smalltumor.labels.regions import Region

from napari_smalltumor import keys, notify, questions
from napari_smalltumor.close_patient import close_patient
from napari_smalltumor.compare.choices import ReferenceChoice
from napari_smalltumor.compare.shown_reference import show_reference
from napari_smalltumor.display.sequences import show_sequence
from napari_smalltumor.follow_up import dock as dock_module
from napari_smalltumor.follow_up import page
from napari_smalltumor.follow_up.dock import FollowUpDock
from napari_smalltumor.follow_up.earlier_layers import earlier_layer
from napari_smalltumor.layers.earlier_scan import earlier_scan_is_shown
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.layers.reference import reference_layers
from napari_smalltumor.lesions import texts
from napari_smalltumor.lesions.actions.clicks import ReviewClicks
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.reading.reading_area import Layout
from napari_smalltumor.reading.window import planes_window
from napari_smalltumor.segment.modality_pickers import ModalityPickers


def write(folder: Path, classes: np.ndarray) -> Path:
    folder.mkdir()
    for modality in ("t1ce", "flair"):
        image = nib.Nifti1Image(brain_case().volumes[modality], AFFINE)
        nib.save(image, folder / f"{folder.name}_{modality}.nii.gz")
        nib.save(image, folder / f"{folder.name}_{'t1' if modality == 't1ce' else 't2'}.nii.gz")
    stored = np.where(classes == 3, 4, classes).astype(np.uint8)
    nib.save(nib.Nifti1Image(stored, AFFINE), folder / f"{folder.name}_seg.nii.gz")
    return folder


@pytest.fixture
def earlier_scan(tmp_path, monkeypatch) -> Path:
    """The folder of an earlier scan; the registration finds that the head has not moved."""
    unmoved = ScanRegistration(np.eye(4), 0.8, 0.98)
    monkeypatch.setattr(compare, "register_scans", lambda *arguments: unmoved)
    return write(tmp_path / "BraTS2021_1", tumour())


def later() -> np.ndarray:
    """A new small lesion; the large one has grown, and the earlier small one is gone."""
    classes = ball(np.zeros(SHAPE, np.uint8), (22, 30, 20), 8)
    return ball(classes, (40, 20, 25), 1.5)


@pytest.fixture
def dock(make_napari_viewer, tmp_path, earlier_scan):
    viewer = make_napari_viewer()
    open_case(viewer, write(tmp_path / "BraTS2021_2", np.zeros(SHAPE, np.uint8)))
    case = next(iter(active_patient(viewer).layers)).metadata["smalltumor"].role.case
    show_segmentation(viewer, case, Segmentation(case.name, later(), case.grid))
    dock = FollowUpDock(viewer)
    viewer.window.add_dock_widget(dock, area="right")
    return dock


def compared(dock, qtbot, folder: Path) -> None:
    dock.compare_with(folder)
    qtbot.waitUntil(lambda: not dock.busy)


def words(dock) -> list[str]:
    model = dock.model
    return [model.data(model.index(row, 0)).split()[-1] for row in range(model.rowCount())]


def test_new_lesions_are_listed_first_and_the_earlier_scan_is_shown(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    assert words(dock) == ["new", "grown", "gone"]
    assert dock.headline.text().startswith("1 new enhancing lesion")
    assert "RANO, from measurements only: " in dock.response.text()
    assert "has not been checked against their texts" in dock.response.text()
    viewer = dock._viewer
    image = viewer.layers["BraTS2021_2 earlier: BraTS2021_1"]
    assert not image.visible
    shown = reference_layers(active_patient(viewer).layers)
    assert len(shown) == 3 and not any(layer.editable for layer in shown.values())


@pytest.mark.slow
def test_a_reference_that_the_user_has_chosen_stays(dock, qtbot, earlier_scan):
    viewer, case = dock._viewer, dock_module.case_to_export(dock._viewer)
    masks = {Region.ET: np.ones(viewer.layers["BraTS2021_2 ET"].data.shape, np.uint8)}
    show_reference(viewer, case, masks, ReferenceChoice("expert", path=earlier_scan))
    (chosen,) = reference_layers(active_patient(viewer).layers).values()
    for _ in range(2):
        compared(dock, qtbot, earlier_scan)
        assert list(reference_layers(active_patient(viewer).layers).values()) == [chosen]
        assert "not the reference that is shown" in dock.message.text()
    viewer.layers.remove(chosen)
    compared(dock, qtbot, earlier_scan)
    assert len(reference_layers(active_patient(viewer).layers)) == 3
    assert "whose contours are the reference" in dock.message.text()


@pytest.mark.slow
def test_flicker_changes_images_only(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    layers = dock._viewer.layers
    before = {layer.name: layer.visible for layer in layers}
    dock.flicker()
    assert layers["BraTS2021_2 earlier: BraTS2021_1"].visible
    assert not layers["BraTS2021_2 T1CE"].visible and layers["BraTS2021_2 ET"].visible
    assert dock._viewer.canvas.overlays.text.text == "earlier scan:\nBraTS2021_1"
    assert dock.flicker_button.isChecked() and "earlier scan is shown" in dock.message.text()
    dock.flicker()
    assert "earlier scan is shown" not in dock.message.text()
    assert {layer.name: layer.visible for layer in layers} == before


@pytest.mark.slow
def test_another_sequence_ends_the_flicker(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    dock.flicker()
    show_sequence(dock._viewer, "t1ce")
    assert not dock._viewer.layers["BraTS2021_2 earlier: BraTS2021_1"].visible
    assert not dock.flicker_button.isChecked()
    dock.flicker()
    assert dock.flicker_button.isChecked()


@pytest.mark.slow
def test_the_earlier_scan_is_no_sequence_to_segment(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    pickers = ModalityPickers(dock._viewer)
    qtbot.addWidget(pickers)
    chosen = {modality: layer.name for modality, layer in pickers.chosen.items()}
    assert chosen == {
        m: f"BraTS2021_2 {title}"
        for m, title in (("t1", "T1"), ("t1ce", "T1CE"), ("t2", "T2"), ("flair", "FLAIR"))
    }


@pytest.mark.slow
def test_steps_go_to_the_lesions(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    viewer = dock._viewer
    slices = []
    for _ in range(3):
        dock.step(1)
        change = dock.model.changes[dock.table.currentIndex().row()]
        lesion = dock.comparison.lesion_of(change)
        at = viewer.layers["BraTS2021_2 ET"].world_to_data(viewer.dims.point)
        slices.append((round(at[0]), lesion.slices[0]))
    assert all(shown == expected for shown, expected in slices)
    dock.step(1)
    assert dock.table.currentIndex().row() == 0


@pytest.mark.slow
def test_an_edit_makes_the_comparison_old_and_it_can_be_renewed(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    assert "Compared with BraTS2021_1_seg.nii.gz" in dock.message.text()
    et = dock._viewer.layers["BraTS2021_2 ET"]
    et.data_setitem(np.nonzero(et.data), 0)
    qtbot.waitUntil(lambda: "have changed since" in dock.message.text())
    dock.compare_again()
    qtbot.waitUntil(lambda: not dock.busy)
    assert words(dock) == ["gone", "gone"]
    assert sum(" earlier:" in layer.name for layer in dock._viewer.layers) == 1


@pytest.mark.slow
def test_a_failed_attempt_does_not_hide_that_the_comparison_is_old(
    dock, qtbot, earlier_scan, tmp_path
):
    compared(dock, qtbot, earlier_scan)
    assert dock.headline.text().endswith("since BraTS2021_1")
    et = dock._viewer.layers["BraTS2021_2 ET"]
    et.data_setitem(np.nonzero(et.data), 0)
    compared(dock, qtbot, tmp_path / "nowhere")
    assert "nowhere" in dock.message.text() and "have changed since" in dock.message.text()


@pytest.mark.slow
def test_a_region_without_a_layer_is_not_measured(dock, qtbot, earlier_scan, monkeypatch):
    monkeypatch.setattr(dock_module, "may_write_regions", lambda *arguments: True)
    del dock._viewer.layers["BraTS2021_2 TC"]
    compared(dock, qtbot, earlier_scan)
    volumes = dock.comparison.follow_up.current.measures.volumes_ml
    assert volumes["et"] > 0
    assert [volumes[name] for name in ("tc", "wt", "ncr", "ed")] == [None] * 4


@pytest.mark.slow
def test_each_patient_has_its_own_comparison(dock, qtbot, earlier_scan, tmp_path):
    compared(dock, qtbot, earlier_scan)
    viewer, patients = dock._viewer, active_patient(dock._viewer)
    first = patients.current
    open_case(viewer, write(tmp_path / "BraTS2021_3", tumour()))
    assert dock.model.rowCount() == 0 and not dock.headline.isVisibleTo(dock)
    assert not dock.flicker_button.isEnabled()
    patients.activate(first)
    assert words(dock) == ["new", "grown", "gone"]


@pytest.mark.one_binding
def test_another_head_is_refused_in_the_dock(dock, qtbot, earlier_scan, monkeypatch):
    def refuse(*arguments):
        raise CaseError("A and B do not seem to show the same head")

    monkeypatch.setattr(compare, "register_scans", refuse)
    compared(dock, qtbot, earlier_scan)
    assert "do not seem to show the same head" in dock.message.text()
    assert dock.model.rowCount() == 0 and dock.choose_button.isEnabled()


@pytest.mark.slow
def test_the_page_states_what_was_typed_and_is_refused_if_old(
    dock, qtbot, earlier_scan, monkeypatch, tmp_path
):
    shown: list[str] = []
    monkeypatch.setattr(notify, "info", shown.append)
    monkeypatch.setattr(notify, "error", shown.append)
    monkeypatch.setattr(page, "ask_for_details", lambda *a: ("A. Reader", ["2026-01", "2026-02"]))
    monkeypatch.setattr(page, "ask_for_page", lambda *a: tmp_path / "page.html")
    compared(dock, qtbot, earlier_scan)
    dock.report()
    qtbot.waitUntil(lambda: bool(shown))
    text = (tmp_path / "page.html").read_text(encoding="utf-8").replace("<wbr>", "")
    assert shown == [f"Wrote page.html to {tmp_path}"]
    assert "1 new enhancing lesion" in text and "2026-02 with 2026-01" in text
    assert "A. Reader" in text and "BraTS2021_1_seg.nii.gz" in text
    dock._viewer.layers["BraTS2021_2 ET"].data[20, 30, 22] = 0
    dock.report()
    assert "compare again" in shown[-1]


def test_the_scan_that_is_open_is_refused(dock, qtbot, earlier_scan, tmp_path):
    compared(dock, qtbot, tmp_path / "BraTS2021_2")
    assert "is the scan that is open" in dock.message.text()


@pytest.mark.slow
def test_a_mask_exported_beside_the_earlier_scan_goes_before_the_experts(dock, qtbot, earlier_scan):
    stored = np.where(later() == 3, 4, later()).astype(np.uint8)
    exported = earlier_scan / "BraTS2021_1_smalltumor.nii.gz"
    nib.save(nib.Nifti1Image(stored, AFFINE), exported)
    compared(dock, qtbot, earlier_scan)
    assert exported.name in dock.message.text()
    assert words(dock) == ["same", "same"]


def test_without_regions_it_says_what_to_do(make_napari_viewer):
    dock = FollowUpDock(make_napari_viewer())
    assert "Segment the case" in dock.message.text()
    assert not dock.choose_button.isEnabled()


def test_a_plane_of_the_earlier_scan_is_beside_the_current_one_and_both_are_linked(
    dock, qtbot, earlier_scan
):
    viewer = dock._viewer
    dock.toggle_beside()
    assert not dock.beside_button.isEnabled()
    compared(dock, qtbot, earlier_scan)
    dock.flicker()
    window = open_planes(viewer)
    dock.toggle_beside()
    assert window.layout is Layout.AXIAL and window.is_beside and dock.beside_button.isChecked()
    earlier, current = window.area.earlier[Layout.AXIAL], window.area.canvases[0]
    assert not earlier.isHidden() and not current.isHidden()
    image = earlier_layer(viewer, active_patient(viewer).current)
    assert not image.visible and image in earlier.layers and image not in current.layers
    assert len(earlier.layers) == 1 + 3
    for canvas in (earlier, current):
        canvas.resize(300, 300)
    for row in range(3):
        dock.step(1)
        assert dock.table.currentIndex().row() == row
        assert earlier.corners()[2] == current.corners()[2]
        assert (
            earlier.port.centre == current.port.centre and earlier.port.scale == current.port.scale
        )
    dock.step(-1)
    assert earlier.grab().toImage() != current.grab().toImage()
    window.show(Layout.FOUR)
    assert earlier.isHidden() and not dock.beside_button.isChecked()
    window.area.canvases[1].double_clicked.emit()
    assert not window.area.earlier[Layout.CORONAL].isHidden() and dock.beside_button.isChecked()
    viewer.window.remove_dock_widget(dock)
    assert not window.is_beside and window.layout is Layout.CORONAL


@pytest.mark.slow
def test_a_patient_without_an_earlier_scan_is_shown_alone(dock, qtbot, earlier_scan, tmp_path):
    compared(dock, qtbot, earlier_scan)
    dock.toggle_beside()
    window = planes_window(dock._viewer)
    assert window.is_beside
    open_case(dock._viewer, write(tmp_path / "Other_1", tumour()))
    assert active_patient(dock._viewer).current.name == "Other_1"
    assert not window.is_beside and window.area.earlier[Layout.AXIAL].isHidden()
    dock.toggle_beside()
    assert not window.is_beside


def test_nothing_can_be_painted_on_a_plane_of_the_earlier_scan(dock, qtbot, earlier_scan):
    viewer = dock._viewer
    compared(dock, qtbot, earlier_scan)
    dock.toggle_beside()
    window = planes_window(viewer)
    earlier, current = window.area.earlier[Layout.AXIAL], window.area.canvases[0]
    layer = next(x for x in viewer.layers if region_of(x) is Region.ET)
    viewer.layers.selection.active = layer
    layer.mode = "paint"
    before, clicked = layer.data.copy(), []
    window.planes.alt_clicked.connect(lambda *of: clicked.append(of))
    alt = Qt.KeyboardModifier.AltModifier
    middle = earlier.rect().center()
    for modifier in (Qt.KeyboardModifier.NoModifier, alt):
        qtbot.mouseClick(earlier, Qt.MouseButton.LeftButton, modifier, middle)
    assert (layer.data == before).all() and not clicked
    limits = [x.contrast_limits for x in current.layers if x._type_string == "image"]
    assert earlier.windowed is earlier_layer(viewer, active_patient(viewer).current)
    qtbot.mouseDClick(earlier, Qt.MouseButton.RightButton, pos=middle)
    qtbot.mouseRelease(earlier, Qt.MouseButton.RightButton, pos=middle)
    assert [x.contrast_limits for x in current.layers if x._type_string == "image"] == limits
    qtbot.mouseClick(current, Qt.MouseButton.LeftButton, pos=current.rect().center())
    assert (layer.data != before).any()
    viewer.layers.remove(earlier_layer(viewer, active_patient(viewer).current))
    assert earlier.layers == [] and not earlier.grab().isNull()


@pytest.mark.one_binding
def test_nothing_is_painted_or_added_on_the_earlier_scan(dock, qtbot, earlier_scan):
    viewer = dock._viewer
    compared(dock, qtbot, earlier_scan)
    layer = next(x for x in viewer.layers if region_of(x) is Region.ET)
    layer.mode = "paint"
    for _ in range(2):
        dock.flicker()
        assert layer.mode == "pan_zoom"
        assert earlier_scan_is_shown(viewer.layers)
        layer.mode = "erase"
        assert not earlier_scan_is_shown(viewer.layers)
        assert any(x.visible for x in viewer.layers if x.name.endswith("T1CE"))
    shown = earlier_layer(viewer, active_patient(viewer).current)
    layer.mode = "paint"
    shown.visible = True  # by its eye icon
    assert layer.mode == "pan_zoom"
    drawn = viewer.add_labels(np.zeros(SHAPE, np.uint8))
    drawn.mode = "paint"
    assert not shown.visible
    dock.flicker()
    review, said = LesionReview(viewer), []
    clicks = ReviewClicks(viewer, review, said.append, lambda: None)
    clicks.on_click((0, 0, 0), take_away=True)
    assert said == [texts.EARLIER_SCAN]
    clicks.close()
    review.close()


@pytest.mark.one_binding
def test_words_about_the_scan_that_is_shown_go_with_it(dock, qtbot, earlier_scan, tmp_path):
    viewer = dock._viewer
    compared(dock, qtbot, earlier_scan)
    lesions = LesionsDock(viewer)
    viewer.window.add_dock_widget(lesions, area="right")
    et = next(x for x in viewer.layers if region_of(x) is Region.ET)
    shown_current = (
        lambda: setattr(et, "mode", "paint"),
        lambda: show_sequence(viewer, "flair"),
        lambda: setattr(earlier_layer(viewer, patients.current), "visible", False),
        dock.flicker,
    )
    patients = active_patient(viewer)
    for show_current in shown_current:
        dock.flicker()
        assert "earlier scan is shown" in dock.message.text()
        assert "current scan" not in viewer.status
        lesions.clicks.on_click((0, 0, 0), take_away=True)
        assert lesions.message == texts.EARLIER_SCAN
        show_current()
        assert "earlier scan is shown" not in dock.message.text()
        assert lesions.message == ""
    dock.flicker()
    et.mode = "erase"
    assert "current scan is shown again" in viewer.status
    viewer.layers.selection.active = viewer.layers["BraTS2021_2 T1CE"]
    assert "current scan" not in viewer.status
    for letter in (keys.Key("P", "paint"), keys.Key("E", "erase")):
        press(planes_window(viewer), letter)
        assert viewer.status.startswith("BraTS2021_2 T1CE is selected: select a mask")
        viewer.layers.selection.active = et
        assert "is selected" not in viewer.status
        press(planes_window(viewer), letter)
        assert "is selected" not in viewer.status
        viewer.layers.selection.active = viewer.layers["BraTS2021_2 T1CE"]
    dock.flicker()
    viewer.layers.selection.active = et
    et.mode = "paint"
    assert "current scan is shown again" in viewer.status
    open_case(viewer, write(tmp_path / "BraTS2021_3", tumour()))
    assert "current scan" not in viewer.status
    dock.flicker()
    assert "No earlier scan" in viewer.status
    viewer.layers.clear()
    assert "earlier scan" not in viewer.status


@pytest.mark.one_binding
def test_a_comparison_that_ends_behind_another_patient_disturbs_nothing(
    dock, qtbot, earlier_scan, tmp_path, monkeypatch
):
    proceed = threading.Event()
    unmoved = ScanRegistration(np.eye(4), 0.8, 0.98)
    monkeypatch.setattr(compare, "register_scans", lambda *arguments: proceed.wait(60) and unmoved)
    viewer, patients = dock._viewer, active_patient(dock._viewer)
    first = patients.current
    et = next(x for x in viewer.layers if region_of(x) is Region.ET)
    viewer.layers.selection.active = et
    dock.compare_with(earlier_scan)
    try:
        assert dock.message.text() == "Comparing with BraTS2021_1 ..."
        open_case(viewer, write(tmp_path / "BraTS2021_3", tumour()))
        assert "another patient, BraTS2021_2, with BraTS2021_1 ..." in dock.message.text()
        assert dock.choose_button.toolTip().startswith("A comparison is running")
        name = being_renamed(viewer)
    finally:
        proceed.set()
    qtbot.waitUntil(lambda: not dock.busy)
    assert "another patient" not in dock.message.text()
    assert isalive(name) and name.isVisible()
    patients.activate(first)
    assert earlier_layer(viewer, first) is not None
    assert viewer.layers.selection.active is et
    name = being_renamed(viewer)
    dock.compare_again()  # the layers of the earlier scan are replaced
    qtbot.waitUntil(lambda: not dock.busy)
    assert isalive(name) and name.isVisible()


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["patient", "window"])
def test_a_comparison_is_cancelled_with_its_patient_and_its_window(
    dock, qtbot, earlier_scan, tmp_path, monkeypatch, raised, closed
):
    proceed = threading.Event()
    unmoved = ScanRegistration(np.eye(4), 0.8, 0.98)
    monkeypatch.setattr(compare, "register_scans", lambda *arguments: proceed.wait(60) and unmoved)
    viewer, patients = dock._viewer, active_patient(dock._viewer)
    first = patients.current
    open_case(viewer, write(tmp_path / "BraTS2021_3", tumour()))
    patients.activate(first)
    monkeypatch.setattr(questions, "confirm", lambda *arguments: True)
    dock.compare_with(earlier_scan)
    worker, ended = dock.runs.worker, []
    worker.aborted.connect(lambda: ended.append("aborted"))
    worker.returned.connect(lambda result: ended.append("returned"))
    try:
        if closed == "patient":
            close_patient(viewer, first)
        else:
            viewer.close()
    finally:
        proceed.set()
    qtbot.waitUntil(lambda: bool(ended))
    qtbot.wait(50)
    assert ended == ["aborted"] and raised == []
    if closed == "patient":
        assert not dock.busy and "cancelled" not in dock.message.text()
        open_case(viewer, tmp_path / "BraTS2021_2")
        assert "cancelled" not in dock.message.text()
        assert len(viewer.layers) == 10


def being_renamed(viewer) -> QLineEdit:
    """The field in which the selected layer is being renamed in the layer list."""
    window = viewer.window._qt_window
    (names,) = (x for x in window.findChildren(QListView) if hasattr(x.model(), "sourceModel"))
    window.show()
    names.edit(names.selectionModel().currentIndex())
    return next(x for x in names.findChildren(QLineEdit) if x.isVisible())


@pytest.mark.slow
def test_the_images_return_if_the_earlier_scan_is_deleted_while_it_is_shown(
    dock, qtbot, earlier_scan
):
    compared(dock, qtbot, earlier_scan)
    layers = dock._viewer.layers
    before = [x for x in layers if x.visible]
    dock.flicker()
    layers.remove(layers["BraTS2021_2 earlier: BraTS2021_1"])
    assert [x for x in layers if x.visible] == before
