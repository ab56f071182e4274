"""The Worklist dock in a window: keys step through the cases and save reviews."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cohort_results import WARNING, write_results
from napari_cases import write_case_along
from planes_in_window import open_planes, press
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication
from smalltumor.cohort.results.results_folder import TABLE
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.labels.regions import Region

from napari_smalltumor import keys, questions, settings
from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.export.save import save
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.finetune.cases.cases_page import CasesPage
from napari_smalltumor.finetune.cases.training_folder import TrainingFolder
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.layers.views.ring_boxes import ring_boxes_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.segment.dock import SegmentDock
from napari_smalltumor.widgets.docks.open_dock import open_dock
from napari_smalltumor.worklist.dock import WorklistDock
from napari_smalltumor.worklist.listed_lesions import NAME


@pytest.fixture
def dock(make_napari_viewer, qtbot, tmp_path):
    output = write_results(tmp_path)[1]
    viewer = make_napari_viewer()
    window = open_planes(viewer)
    dock = WorklistDock(viewer)
    viewer.window.add_dock_widget(dock, area="right")
    assert not dock.next_button.isEnabled() and not dock.save_button.isEnabled()
    dock.open_results(output)
    qtbot.waitUntil(lambda: dock.worklist is not None)
    dock.window_of_planes = window
    return dock


def test_results_that_are_dropped_on_the_dock_are_listed(make_napari_viewer, qtbot, tmp_path):
    output = write_results(tmp_path)[1]
    dock = WorklistDock(make_napari_viewer())
    qtbot.addWidget(dock)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(output))])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    no_key = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(dock, QDragEnterEvent(QPoint(9, 9), copy, data, left, no_key))
    QApplication.sendEvent(dock, QDropEvent(QPointF(9, 9), copy, data, left, no_key))
    qtbot.waitUntil(lambda: dock.worklist is not None)
    assert dock.worklist.folder == output


def shown(dock) -> list[list[str]]:
    model = dock.model
    return [
        [model.data(model.index(row, column)) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


@pytest.mark.slow
def test_keys_step_through_cases_that_are_reviewed_and_saved(dock, tmp_path, qtbot):
    patients = active_patient(dock._viewer)
    assert shown(dock)[0] == ["", "cyd", "1", "", "", "0.93"]
    assert shown(dock)[1] == ["", "bob", "", "1", "1", "0.82"]
    assert shown(dock)[3][:2] == ["✗", "dan"]
    press(dock.window_of_planes, keys.NEXT_CASE)
    assert patients.title == "cyd" and shown(dock)[0][0] == "▸"
    assert WARNING in dock.about.text()
    press(dock.window_of_planes, keys.REVIEWED)
    assert "name" in dock.message.text() and not (tmp_path / "out" / "reviews").exists()
    qtbot.keyClicks(dock.reader_field, "Anna")
    press(dock.window_of_planes, keys.REVIEWED)
    assert dock.message.text() == "Saved cyd, as it was, as reviewed by Anna."
    assert (tmp_path / "out" / "reviews" / "Anna" / "cyd_review1.nii.gz").exists()
    assert settings.get("reader") == "Anna"
    assert not dock.reader_field.hasFocus()
    assert shown(dock)[0][0] == "▸✓"
    assert dock.progress.text().endswith("1 of 3 cases reviewed, 1 cannot be opened")
    press(dock.window_of_planes, keys.NEXT_CASE)
    assert patients.title == "bob" and len(patients.patients) == 1
    press(dock.window_of_planes, keys.PREVIOUS_CASE)  # past the reviewed one
    assert patients.title == "ann"


def test_a_mask_that_another_reader_saved_meanwhile_is_said_to_be_theirs(dock, tmp_path):
    output = tmp_path / "out"
    save_review(output, "cyd", "Ben")
    assert shown(dock)[0][:2] == ["", "cyd"]
    dock.session.open(dock.worklist, dock.worklist.entries[0], dock)
    dock.table.selectRow(0)
    assert shown(dock)[0][0] == "▸✓"
    assert "Reviewed by Ben" in dock.about.text()
    assert "1 of 3 cases reviewed" in dock.progress.text()
    dock.reader_field.setText("Anna")
    save_review(output, "cyd", "Ben")
    dock.save()
    assert "meanwhile" in dock.message.text()
    assert "Reviewed by Ben" in dock.about.text()
    assert settings.get("results_folder") == str(output)


def save_review(output: Path, name: str, reader: str) -> None:
    """Save the latest mask of a case as another process does."""
    reviews = Reviews(output)
    begun = reviews.begin(name)
    reviews.save(begun, read_stored_mask(begun.path, name, begun.scheme), reader)


def test_a_case_of_another_cohort_that_has_the_same_name_is_not_shown_as_open(
    dock, tmp_path, qtbot
):
    press(dock.window_of_planes, keys.NEXT_CASE)
    (tmp_path / "second").mkdir()
    other = write_results(tmp_path / "second")[1]
    dock.open_results(other)
    qtbot.waitUntil(lambda: dock.worklist.folder == other)
    assert shown(dock)[0] == ["", "cyd", "1", "", "", "0.93"]
    dock.reader_field.setText("Anna")
    press(dock.window_of_planes, keys.REVIEWED)
    assert dock.message.text() == "Saved cyd of out, as it was, as reviewed by Anna."
    assert (tmp_path / "out" / "reviews" / "Anna" / "cyd_review1.nii.gz").exists()
    assert not (other / "reviews").exists()


def test_cases_that_a_cohort_got_meanwhile_are_told_of(dock, tmp_path):
    table = tmp_path / "out" / TABLE
    table.write_text(table.read_text() + "\n")
    press(dock.window_of_planes, keys.NEXT_CASE)
    assert "open the results again to list new cases" in dock.progress.text()


@pytest.mark.slow
def test_a_key_goes_to_the_candidates_and_small_lesions(dock):
    dock.step(1)
    press(dock.window_of_planes, keys.NEXT_LISTED)
    assert dock.message.text() == "cyd has no candidate and no small lesion."
    dock.step(1)
    texts = []
    for _ in range(3):
        press(dock.window_of_planes, keys.NEXT_LISTED)
        texts.append(dock.message.text())
        et = region_layers(dock._viewer.layers, case_to_export(dock._viewer))[Region.ET]
        slices = np.rint(et.world_to_data(dock._viewer.dims.point)).astype(int)
        assert et.data[tuple(slices)] == 1
        ring = ring_boxes_of(dock._viewer.layers[NAME])
        assert np.all((ring.boxes[..., 0] <= slices) & (slices < ring.boxes[..., 1]))
    assert texts[0] == texts[2] == "Candidate, 256 mm³, score 0.40 (1 of 2)"
    assert texts[1] == "Small lesion, 256 mm³ (2 of 2)"
    dock.step(1)
    assert ring_boxes_of(dock._viewer.layers[NAME]) is None


@pytest.mark.slow
def test_keys_of_the_lesions_dock_judge_the_lesion_that_is_ringed_and_no_other(dock, qtbot):
    lesions = open_dock(dock._viewer, "Lesions")
    dock.table.activated.emit(dock.model.index(1, 1))
    qtbot.waitUntil(lambda: bool(lesions.review.small) and not lesions.finder.busy)
    press(dock.window_of_planes, keys.NEXT)
    assert lesions.review.current is lesions.review.small[0] and lesions.selected_rows()
    press(dock.window_of_planes, keys.NEXT_LISTED)
    assert dock.message.text().startswith("Candidate")
    assert ring_boxes_of(dock._viewer.layers[NAME]) is not None
    press(dock.window_of_planes, keys.NEXT)
    assert ring_boxes_of(dock._viewer.layers[NAME]) is None  # another lesion is current
    press(dock.window_of_planes, keys.NEXT_LISTED)
    press(dock.window_of_planes, keys.NEXT_LISTED)
    assert dock.message.text().startswith("Candidate")
    press(dock.window_of_planes, keys.DELETE)
    assert lesions.message == "Select a lesion to delete" and lesions.review.small
    press(dock.window_of_planes, keys.NEXT_LISTED)
    assert dock.message.text().startswith("Small lesion")
    assert ring_boxes_of(dock._viewer.layers[NAME]) is None  # one ring, that of the review
    press(dock.window_of_planes, keys.DELETE)
    assert lesions.message == "Deleted 1 lesion, 4 voxels; U restores"
    assert not lesions.review.small and lesions.review.lesions


def test_a_case_that_failed_says_why_and_leaves_the_open_one(dock):
    dock.step(1)
    dock.table.activated.emit(dock.model.index(3, 1))
    assert dock.message.text() == "dan cannot be opened."
    assert dock.about.text() == "dan failed: no T1CE image"
    assert active_patient(dock._viewer).title == "cyd"
    tip = dock.model.data(dock.model.index(0, 1), Qt.ItemDataRole.ToolTipRole)
    assert tip.startswith("cyd: 1 warning")


def test_a_case_that_is_selected_only_is_said_not_to_be_open(dock):
    dock.step(1)
    assert dock.about.text().startswith("cyd: 1 warning")
    dock.table.selectRow(1)
    assert dock.about.text().startswith("bob (not open): ")


def test_the_last_case_to_review_is_said_to_be_open_already(dock, tmp_path):
    for name in ("bob", "ann"):
        save_review(tmp_path / "out", name, "Ben")
    press(dock.window_of_planes, keys.NEXT_CASE)
    assert active_patient(dock._viewer).title == "cyd" and dock.message.text() == ""
    for key in (keys.NEXT_CASE, keys.PREVIOUS_CASE):
        press(dock.window_of_planes, key)
        assert dock.message.text() == "cyd, which is open, is the only case left to review."


def test_what_was_said_of_another_active_patient_goes_with_it(dock, tmp_path):
    dock.reader_field.setText("Anna")
    dock.step(1)
    open_case(dock._viewer, write_case_along(tmp_path / "Other"))
    assert dock.save() is None
    assert dock.message.text() == "Other is active, not cyd, which is being reviewed"
    open_case(dock._viewer, write_case_along(tmp_path / "Third", seed=1))
    assert dock.message.text() == "" and dock.message.isHidden()


def test_a_reviewed_mask_is_not_segmented_again_without_a_question(dock, qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(questions, "confirm", lambda *texts: asked.append(texts[2]) or False)
    segment = SegmentDock(dock._viewer)
    qtbot.addWidget(segment)
    settings.put("reader", "Anna")
    dock.reader_field.setText("Anna")
    dock.step(1)
    dock.save()
    segment.segment()
    assert segment.run is None and len(asked) == 1
    assert asked[0].startswith("Anna has saved the mask of cyd as reviewed.")


@pytest.mark.slow
def test_the_least_certain_come_first_when_asked_and_the_selected_case_stays(dock):
    dock.step(1)
    dock.step(1)
    assert dock.order_box.accessibleName() == "Order"
    dock.order_box.setCurrentIndex(1)
    assert [row[1] for row in shown(dock)] == ["ann", "bob", "cyd", "dan"]
    assert dock.table.currentIndex().row() == 1 and shown(dock)[1][0] == "▸"
    assert "expected Dice 0.82" in dock.about.text()
    dock.step(-1)
    assert active_patient(dock._viewer).title == "ann"
    dock.order_box.setCurrentIndex(0)
    assert [row[1] for row in shown(dock)] == ["cyd", "bob", "ann", "dan"]
    assert dock.table.currentIndex().row() == 2


@pytest.mark.slow
def test_the_fine_tune_dock_opens_the_list_at_what_the_network_is_least_sure_of(
    make_napari_viewer, qtbot, tmp_path
):
    viewer = make_napari_viewer()
    page = CasesPage()
    qtbot.addWidget(page)
    TrainingFolder(viewer, page, page)
    page.next.click()
    dock = open_dock(viewer, "Worklist")
    assert "Open a folder of results" in dock.message.text()
    dock.open_results(write_results(tmp_path)[1])
    qtbot.waitUntil(lambda: dock.worklist is not None)
    assert [entry.name for entry in dock.worklist.entries] == ["ann", "bob", "cyd", "dan"]
    dock.step(1)
    dock.step(1)
    page.next.click()
    dock.step(1)
    assert active_patient(viewer).title == "ann"
    assert "expected Dice 0.71" in dock.about.text()


def test_keys_of_the_worklist_are_not_those_of_napari(dock):
    from napari._app_model import get_app_model

    of_napari = {str(bound.keybinding) for bound in get_app_model().keybindings}
    ours = {key.sequence for key in dock.keys.shortcuts}
    assert len(ours) == 4 and not ours & of_napari


def test_save_keeps_the_masks_of_a_review_with_the_review(dock, tmp_path, qtbot):
    """Not beside the images, where no review would find them."""
    header, state = dock.findChild(PatientHeader), save_state(dock._viewer)
    press(dock.window_of_planes, keys.NEXT_CASE)
    assert state.is_review and state.is_saved
    assert header.save_button.text() == "No edits" and not header.save_button.isEnabled()
    save(dock._viewer, None)  # Ctrl+S by habit does not confirm a case
    assert not (tmp_path / "out" / "reviews").exists()
    case = case_to_export(dock._viewer)
    et = region_layers(dock._viewer.layers, case)[Region.ET]
    et.data_setitem(tuple(np.array([5]) for _ in range(3)), 1)
    save(dock._viewer, None)  # at once, before the signal of the edit
    assert "name" in dock.message.text()
    qtbot.waitUntil(header.save_button.isEnabled)
    assert header.save_button.text() == "Save as reviewed"
    assert "as reviewed by you" in header.save_button.toolTip()
    header.save_button.click()
    assert "name" in dock.message.text()  # who the reader is
    dock.reader_field.setText("Anna")
    header.save_button.click()
    assert (tmp_path / "out" / "reviews" / "Anna" / "cyd_review1.nii.gz").exists()
    assert not list((tmp_path / "data").rglob("*_smalltumor*"))
    assert header.save_button.text() == "✓ Saved"


@pytest.mark.slow
def test_the_next_case_waits_until_the_edits_of_this_one_are_saved_as_reviewed(
    dock, tmp_path, monkeypatch
):
    asked = []

    def save_them(parent, title, text, *answers, harmless):
        asked.append(text)
        return "Save as reviewed"

    monkeypatch.setattr(questions, "ask", save_them)
    dock.step(1)
    case = case_to_export(dock._viewer)
    et = region_layers(dock._viewer.layers, case)[Region.ET]
    et.data_setitem(tuple(np.array([5]) for _ in range(3)), 1)
    dock.step(1)
    assert "name" in dock.message.text() and active_patient(dock._viewer).title == "cyd"
    dock.reader_field.setText("Anna")
    dock.step(1)
    assert active_patient(dock._viewer).title == "bob"
    assert len(asked) == 2 and "Edits of cyd were not saved as reviewed" in asked[0]
    assert [r.edited for r in Reviews(tmp_path / "out").latest().values()] == [True]
