"""The Lesions dock in a real window: clicks, keys, brush, clipboard, closing."""

from __future__ import annotations

import csv
import io
import threading
from dataclasses import replace

import numpy as np
import pytest
from deletion import delete
from event_loop import let_workers_end
from lesion_layers import save_table, show_regions, synthetic_case
from napari_cases import write_case_along
from qtpy.QtCore import QItemSelectionModel, Qt
from qtpy.QtGui import QGuiApplication
from shown_layers import show_segmentation
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region
from smalltumor.lesions import COLUMNS

from napari_smalltumor import keys, questions, settings
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.lesions.canvas.rings import NAME
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.lesions.search import snapshot
from napari_smalltumor.lesions.search.specks import SpeckRule
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.removed.removed_layers import removed_layers


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def dock(viewer, qtbot):
    """A docked review of the synthetic case, small below 100 mm³ and without specks."""
    settings.put("threshold", 100)
    settings.put("speck_below_mm3", 0)
    show_regions(viewer, synthetic_case())
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Lesions")
    qtbot.waitUntil(lambda: voxels(dock) == [2, 12, 216])
    return dock


def voxels(dock) -> list[int]:
    return [lesion.voxels for lesion in dock.model.lesions]


@pytest.mark.one_binding
def test_et_that_is_restored_after_another_patient_was_active_is_under_review_again(
    viewer, dock, qtbot, tmp_path
):
    patients, first = active_patient(viewer), active_patient(viewer).current
    viewer.layers.remove("Pat ET")
    assert dock.review.region is not Region.ET
    open_case(viewer, write_case_along(tmp_path / "Next", labels=False))
    patients.activate(first)
    removed_layers(viewer).restore(first)
    assert dock.review.region is Region.ET
    qtbot.waitUntil(lambda: voxels(dock) == [2, 12, 216])


def press(dock, key):
    """Call what a key calls."""
    dock.keys.shortcuts[key].activated.emit()


@pytest.mark.slow
def test_real_case_is_listed_and_a_click_flies_to_its_small_lesion(viewer, qtbot, sample_folder):
    case = read_case(sample_folder)
    classes, _ = read_labels(case)
    for data, attributes, _ in image_layers(case)[-1:]:
        viewer.add_image(data, **attributes)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Lesions")
    qtbot.waitUntil(lambda: voxels(dock) == [319, 10056])
    assert NAME in viewer.layers
    place = dock.table.visualRect(dock.model.index(0, 1)).center()
    qtbot.mouseClick(dock.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    lesion = dock.model.lesion(0)
    right, front, top = lesion.centroid_ras_mm
    assert viewer.dims.point[0] == pytest.approx(-top, abs=0.51)
    assert viewer.scene.camera.center[1:] == pytest.approx((-front, -right), abs=0.51)
    assert viewer.scene.camera.zoom > 4


@pytest.mark.one_binding
def test_the_table_follows_the_brush(viewer, dock, qtbot):
    layer = viewer.layers["Pat ET"]
    layer.brush_size, layer.selected_label = 1, 1
    box = dock.review.source.box_in_data(dock.model.lesion(0))
    dock.show_message("Added 13 mm³ to ET; U undoes this")
    layer.paint((box[0].start, box[1].start, box[2].stop), 1)
    qtbot.waitUntil(lambda: voxels(dock) != [2, 12, 216])
    assert sum(voxels(dock)) == int(np.count_nonzero(layer.data)) == 231
    assert dock.message == ""
    layer.undo()
    qtbot.waitUntil(lambda: voxels(dock) == [2, 12, 216])


def test_keys_go_through_small_lesions_accept_and_delete(viewer, dock, qtbot):
    press(dock, keys.NEXT)
    assert dock.review.current.voxels == 2
    press(dock, keys.ACCEPT)
    assert dock.review.current.voxels == 12
    assert dock.model.data(dock.model.index(0, 0)) == "✓"
    press(dock, keys.PREVIOUS)
    assert dock.review.current.voxels == 2
    whole = viewer.layers["Pat WT"].data
    before = np.count_nonzero(whole)
    press(dock, keys.DELETE)
    qtbot.waitUntil(lambda: voxels(dock) == [12, 216])
    assert np.count_nonzero(whole) == before - 2
    dock.undo_button.click()
    qtbot.waitUntil(lambda: voxels(dock) == [2, 12, 216])


@pytest.mark.one_binding
def test_keys_work_in_the_table_too(viewer, dock, qtbot):
    window = viewer.window._qt_window
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    dock.table.setFocus()
    qtbot.waitUntil(lambda: dock.table.hasFocus())
    qtbot.keyClick(dock.table, Qt.Key.Key_N)
    assert dock.review.current is not None and dock.review.current.voxels == 2


def select_rows(dock, *rows):
    how = QItemSelectionModel.SelectionFlag
    selection = dock.table.selectionModel()
    selection.clear()
    for row in rows:
        selection.select(dock.model.index(row, 0), how.Select | how.Rows)


@pytest.mark.one_binding
def test_the_delete_key_in_the_table_erases_all_selected_lesions_in_one_step(viewer, dock, qtbot):
    masks = [layer for layer in viewer.layers if layer.name != NAME]  # rings are drawn anew
    before = viewer.layers["Pat ET"].data.copy()
    select_rows(dock, 0, 1)
    qtbot.keyClick(dock.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: voxels(dock) == [216])
    assert "2 lesions, 14 voxels" in dock.message
    viewer.layers["Pat ET"].undo()
    qtbot.waitUntil(lambda: voxels(dock) == [2, 12, 216])
    assert np.array_equal(viewer.layers["Pat ET"].data, before)
    assert [layer for layer in viewer.layers if layer.name != NAME] == masks


@pytest.mark.one_binding
def test_a_deletion_that_the_layers_undo_took_back_leaves_no_button_and_no_message(
    viewer, dock, qtbot
):
    dock.review_actions.next_small()
    dock.review_actions.delete()
    qtbot.waitUntil(lambda: voxels(dock) == [12, 216])
    assert dock.undo_button.isEnabled() and dock.message
    viewer.layers["Pat ET"].undo()
    qtbot.waitUntil(lambda: voxels(dock) == [2, 12, 216])
    assert not dock.undo_button.isEnabled()
    assert dock.message == ""


@pytest.mark.one_binding
def test_a_message_about_one_patient_does_not_stay_for_the_next(viewer, dock, qtbot):
    dock.review_actions.next_small()
    dock.review_actions.delete()
    assert dock.message
    show_regions(viewer, replace(synthetic_case(), name="Next"))
    assert dock.review.source.name == "Next"
    assert dock.message == ""


def test_a_new_small_lesion_removes_the_message_that_every_one_is_accepted(viewer, dock, qtbot):
    select_rows(dock, 0, 1)
    press(dock, keys.ACCEPT)
    assert dock.message == "Every small lesion is accepted"
    layer = viewer.layers["Pat ET"]
    far = tuple(size - 1 for size in layer.data.shape)
    layer.data_setitem(tuple(np.array([index]) for index in far), [1])
    qtbot.waitUntil(lambda: voxels(dock) == [1, 2, 12, 216])
    assert dock.message == ""


def test_a_key_pressed_during_the_search_does_not_leave_the_message_that_nothing_is_small(
    viewer, dock, qtbot
):
    viewer.window.remove_dock_widget(dock)
    opened = LesionsDock(viewer)
    viewer.window.add_dock_widget(opened, area="right", name="Lesions")
    press(opened, keys.NEXT)
    assert opened.message == "No small lesions in the table"
    qtbot.waitUntil(lambda: voxels(opened) == [2, 12, 216])
    assert opened.message == ""
    opened.threshold.setValue(1)
    qtbot.waitUntil(lambda: not any(lesion.is_small for lesion in opened.model.lesions))
    press(opened, keys.NEXT)
    assert opened.message == "No small lesions in the table"
    opened.threshold.setValue(7)
    qtbot.waitUntil(lambda: opened.model.lesions[0].is_small)
    assert opened.message == ""


@pytest.mark.one_binding
def test_a_viewer_without_a_case_is_not_called_not_segmented(viewer, qtbot):
    dock = LesionsDock(viewer)
    qtbot.addWidget(dock)
    assert dock._summary_line.text() == "No case is open"
    case = synthetic_case()
    for data, attributes, _ in image_layers(case):
        viewer.add_image(data, **attributes)
    assert dock._summary_line.text() == "Not segmented yet"


def test_copied_and_saved_tables_have_all_columns(dock, tmp_path, monkeypatch):
    how = QItemSelectionModel.SelectionFlag
    dock.table.selectionModel().select(dock.model.index(1, 0), how.ClearAndSelect | how.Rows)
    dock.copy_button.click()
    rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text()), delimiter="\t"))
    assert [row["voxels"] for row in rows] == ["12"]
    assert set(rows[0]) == {"case", "visit", *COLUMNS} and rows[0]["case"] == "Pat"
    monkeypatch.setattr(settings, "remember_folder", lambda *a, **k: None)
    dock.review.go_to(dock.model.lesion(1))
    dock.review_actions.accept()
    save_table(dock, tmp_path / "lesions", monkeypatch)
    with (tmp_path / "lesions.csv").open(newline="") as file:
        saved = [(row["voxels"], row["accepted"]) for row in csv.DictReader(file)]
    assert saved == [("2", "false"), ("12", "true"), ("216", "false")]


@pytest.mark.parametrize("agrees", [True, False])
def test_a_table_replaces_another_only_after_a_question_about_the_completed_name(
    dock, tmp_path, monkeypatch, agrees
):
    asked: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda *a: bool(asked.append(a[2])) or agrees)
    monkeypatch.setattr(settings, "remember_folder", lambda *a, **k: None)
    (tmp_path / "lesions.csv").write_text("of another patient")
    save_table(dock, tmp_path / "lesions", monkeypatch)
    assert len(asked) == 1 and asked[0].startswith("lesions.csv (written on ")
    assert ("of another patient" in (tmp_path / "lesions.csv").read_text()) != agrees


@pytest.mark.one_binding
def test_threshold_and_region_renew_the_table(viewer, dock, qtbot):
    dock.threshold.setValue(7)
    qtbot.waitUntil(lambda: [x.is_small for x in dock.model.lesions] == [True, False, False])
    assert settings.get("threshold") == 7
    for region in (Region.WT, Region.ET, Region.TC):  # faster than they can be searched
        dock.region_box.setCurrentIndex(dock.region_box.findData(region.value))
    qtbot.waitUntil(lambda: not dock.finder.busy)
    assert voxels(dock) == [2, 12, 720]
    assert {lesion.region for lesion in dock.model.lesions} == {Region.TC}
    dock.ring_box.setChecked(False)
    assert NAME not in viewer.layers


def test_a_dock_that_was_open_before_the_result_offers_all_regions(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Lesions")
    show_regions(viewer, synthetic_case())
    qtbot.waitUntil(lambda: sum(voxels(dock)) == 230)
    offered = [dock.region_box.itemData(n) for n in range(dock.region_box.count())]
    assert sorted(offered) == ["et", "tc", "wt"]
    dock.region_box.setCurrentIndex(dock.region_box.findData("wt"))
    qtbot.waitUntil(lambda: not dock.finder.busy and dock.review.region is Region.WT)
    layer = viewer.layers["Pat WT"]
    layer.data_setitem(tuple(np.array([n]) for n in (0, 0, 0)), 1)
    qtbot.waitUntil(lambda: 1 in voxels(dock))


@pytest.mark.one_binding
def test_layers_removed_during_a_search_leave_an_empty_table(viewer, dock, qtbot):
    dock.finder.search()
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not dock.finder.busy)
    assert voxels(dock) == []
    assert not dock.next_button.isEnabled() and not dock.delete_button.isEnabled()


@pytest.mark.parametrize("rings_first", [True, False])
def test_rings_and_masks_can_be_removed_together_in_any_order(viewer, dock, qtbot, rings_first):
    layers = sorted(viewer.layers, key=lambda layer: layer.name == NAME, reverse=rings_first)
    assert NAME in {layer.name for layer in layers}
    with viewer.layers.batched_update():  # as napari removes what is selected, which has no order
        for layer in layers:
            viewer.layers.index(layer)
            viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: not len(viewer.layers))


def test_the_rings_go_with_the_last_mask(viewer, dock, qtbot):
    for layer in [x for x in viewer.layers if x.name != NAME]:
        viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: not len(viewer.layers))


def test_hidden_rings_follow_the_lesions_and_are_drawn_when_they_are_shown(viewer, dock, qtbot):
    rings, et = viewer.layers[NAME], viewer.layers["Pat ET"]
    dock.select_row(1)  # its slice has the last points
    drawn = len(rings.data)
    assert len(rings._view_indices)
    rings.visible = False
    smallest = dock.review.lesions[0]
    et.data[tuple(dock.review.source.voxels_in_data(smallest).T)] = 0
    et.refresh()
    qtbot.waitUntil(lambda: voxels(dock) == [12, 216])
    assert len(rings.data) == drawn
    rings.visible = True
    assert 0 < len(rings.data) < drawn


def test_an_undocked_review_lets_go_of_the_viewer(viewer, dock):
    viewer.window.remove_dock_widget(dock)
    assert NAME not in viewer.layers
    assert dock.keys.shortcuts == {}
    viewer.layers["Pat ET"].data[:] = 0
    viewer.layers["Pat ET"].refresh()
    viewer.layers.clear()


def test_two_viewers_have_reviews_of_their_own(make_napari_viewer, dock, qtbot):
    other = make_napari_viewer()
    data = np.zeros((8, 8, 8), np.uint8)
    data[2, 2, 2] = 1
    other.add_labels(data)
    second = LesionsDock(other)
    other.window.add_dock_widget(second, area="right", name="Lesions")
    qtbot.waitUntil(lambda: voxels(second) == [1])
    press(second, keys.NEXT)
    assert dock.review.current is None
    assert voxels(dock) == [2, 12, 216]


def close_and_delete(viewer, dock):
    """Close the dock as its button does, and let Qt delete the widget."""
    viewer.window.remove_dock_widget(dock)
    delete(dock)


def delete_with_its_window(viewer, dock):
    """Delete the dock without taking it out of its parent first, as a window that closes does."""
    delete(dock.parent())


@pytest.mark.one_binding
@pytest.mark.parametrize("close", [close_and_delete, delete_with_its_window])
def test_a_closed_dock_leaves_no_rings_and_ignores_later_changes(
    viewer, dock, qtbot, raised, close
):
    layer = viewer.layers["Pat ET"]
    close(viewer, dock)
    assert NAME not in viewer.layers
    layer.name = "renamed"
    layer.data_setitem(tuple(np.array([n]) for n in (0, 0, 0)), 1)
    viewer.dims.ndisplay = 3
    viewer.scene.camera.zoom *= 3
    settings.put("threshold", 7)
    viewer.add_labels(np.ones((4, 4, 4), np.uint8))
    assert dock.keys.shortcuts == {}
    viewer.layers.clear()
    qtbot.wait(300)
    assert raised == []


@pytest.mark.one_binding
def test_a_search_that_ends_after_the_dock_was_closed_changes_nothing(
    viewer, dock, qtbot, raised, monkeypatch
):
    started, proceed = threading.Event(), threading.Event()
    measure = snapshot.measure_lesions

    def wait_and_measure(*args, **options):
        started.set()
        assert proceed.wait(60)
        return measure(*args, **options)

    monkeypatch.setattr(snapshot, "measure_lesions", wait_and_measure)
    dock.threshold.setValue(5)
    qtbot.waitUntil(started.is_set)
    close_and_delete(viewer, dock)
    proceed.set()
    let_workers_end(qtbot)
    assert NAME not in viewer.layers
    assert raised == []


@pytest.fixture
def with_specks(dock, qtbot):
    """The dock with the lesions of 2 and 12 voxels, 6 and 36 mm³, as specks."""
    dock.speck_below_mm3.setValue(40)
    qtbot.waitUntil(lambda: dock.model.specks_row == 1)
    return dock


def test_specks_are_one_row_that_a_click_lists_and_folds(with_specks, qtbot):
    dock = with_specks
    assert settings.get("speck_below_mm3") == 40
    assert dock.table.columnSpan(1, 0) > 1
    row = dock.model.index(1, 0)
    assert dock.model.data(row) == "▸ 2 specks below 40 mm³ (42 mm³)"
    place = dock.table.visualRect(row).center()
    qtbot.mouseClick(dock.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert dock.model.rowCount() == 4 and dock.selected_rows() == [1]
    qtbot.keyClick(dock.table, Qt.Key.Key_Return)
    assert dock.model.rowCount() == 2 and dock.selected_rows() == [1]


def test_the_row_of_the_specks_is_deleted_with_the_delete_key_and_restored(
    viewer, with_specks, qtbot
):
    layer = viewer.layers["Pat ET"]
    before = layer.data.copy()
    select_rows(with_specks, 1)
    qtbot.keyClick(with_specks.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: voxels(with_specks) == [216] and not with_specks.finder.busy)
    assert not with_specks.delete_specks_button.isVisibleTo(with_specks)
    press(with_specks, keys.UNDO)
    qtbot.waitUntil(lambda: sorted(voxels(with_specks)) == [2, 12, 216])
    assert np.array_equal(layer.data, before)


@pytest.mark.one_binding
def test_the_limits_of_specks_follow_preferences(with_specks):
    settings.put("speck_below_mm3", 15)
    settings.put("speck_probability", 0.55)
    assert with_specks.review.rule == SpeckRule(15, 0.55)
    assert [x.voxels for x in with_specks.review.specks] == [2]


@pytest.mark.one_binding
def test_folded_specks_are_saved_with_the_table(with_specks, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "remember_folder", lambda *a, **k: None)
    save_table(with_specks, tmp_path / "lesions.csv", monkeypatch)
    with (tmp_path / "lesions.csv").open(newline="") as file:
        assert [row["voxels"] for row in csv.DictReader(file)] == ["216", "2", "12"]


def test_space_accepts_all_selected_rows_and_escape_leaves_the_table(dock, qtbot):
    select_rows(dock, 0, 2)
    qtbot.keyClick(dock.table, Qt.Key.Key_Space)
    accepted = [dock.review.is_accepted(lesion) for lesion in dock.model.lesions]
    assert accepted == [True, False, True]
    assert dock.selected_rows() == [1]  # the small one that is left
    with qtbot.waitSignal(dock.table.escaped):
        qtbot.keyClick(dock.table, Qt.Key.Key_Escape)


def test_a_key_goes_through_the_regions(dock, qtbot):
    shown = []
    for _ in range(3):
        press(dock, keys.REGION)
        shown.append(dock.review.region)
    assert shown == [Region.TC, Region.WT, Region.ET]
    qtbot.waitUntil(lambda: not dock.finder.busy)


@pytest.mark.one_binding
def test_tab_goes_from_the_patient_down_to_the_buttons(dock):
    names = ["source_box", "region_box", "threshold", "speck_below_mm3", "speck_probability"]
    names += ["ring_box", "table", "previous_button", "next_button", "accept_button"]
    inside, widget = [], dock.findChild(PatientHeader).picker
    while dock.isAncestorOf(widget):
        inside.append(widget)
        widget = widget.nextInFocusChain()
    places = [inside.index(getattr(dock, name)) for name in names]
    assert places == sorted(places)


def test_the_summary_says_that_the_mask_under_review_is_hidden(dock):
    layer = dock.review.source.layers[dock.review.region]
    layer.visible = False
    assert dock._summary_line.text().startswith("ET is hidden; 3 components")
    press(dock, keys.NEXT)
    press(dock, keys.DELETE)
    assert dock.message == "ET is hidden. Show it to edit lesions"
    layer.visible = True
    assert "hidden" not in dock._summary_line.text() and dock.message == ""
