"""The second list of the Lesions dock: candidates are stepped through, added, rejected, undone."""

from __future__ import annotations

import csv
from dataclasses import replace
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from event_loop import let_turns_pass
from lesion_layers import save_table
from napari.utils.interactions import mouse_press_callbacks
from second_look_cases import Spot, case_with, output_for
from shown_layers import open_segmented, show_segmentation
from smalltumor.data.made_by import MadeBy
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.labels.regions import Region
from vispy.util.keys import ALT, SHIFT

from napari_smalltumor import keys, questions, settings
from napari_smalltumor.autosave.mask_files import SavedMask
from napari_smalltumor.autosave.restore import restore
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.lesions import texts
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.lesions.review.reviewed_lesions import reviewed
from napari_smalltumor.lesions.second_look.status import grower_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.linked_planes import linked_planes

FOUND = Spot((24, 42, 28), 4, 500, logit=8)
MISSED = Spot((42, 30, 32), 4, 500, logit=3.2)


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def dock(viewer, qtbot):
    """A docked review of a case with one found and one missed spot."""
    settings.put("speck_below_mm3", 0)
    case = case_with(FOUND, MISSED)
    for data, attributes, _ in image_layers(case)[-1:]:
        viewer.add_image(data, **attributes)
    result = Segmentation.from_probabilities(case, output_for(case, FOUND, MISSED))
    show_segmentation(viewer, case, result)
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Lesions")
    qtbot.waitUntil(lambda: bool(dock.review.candidates) and bool(dock.review.lesions))
    return dock


def segment_again(viewer, dock, *spots):
    """Give the layers another result of the network; return it."""
    case = dock.review.source.case
    result = Segmentation.from_probabilities(case, output_for(case, *spots))
    show_segmentation(viewer, case, result)
    return result


def press(dock, key):
    """Call what a key calls."""
    dock.keys.shortcuts[key].activated.emit()


def masks(viewer):
    """Number of voxels of ET, TC and WT."""
    return [np.count_nonzero(viewer.layers[f"Pat {name}"].data) for name in ("ET", "TC", "WT")]


def test_a_review_goes_from_what_was_found_to_the_candidates(viewer, dock, qtbot):
    before, candidate = masks(viewer), dock.review.candidates[0]
    assert dock.candidates_title.text().startswith("Second look: ")
    press(dock, keys.NEXT)
    assert dock.review.current is dock.review.lesions[0]
    press(dock, keys.NEXT)
    assert dock.review.current is candidate
    left = len(dock.review.candidates) - 1
    assert dock.candidates_table.selectionModel().currentIndex().row() == 0
    press(dock, keys.ACCEPT)
    added = [after - n for after, n in zip(masks(viewer), before, strict=True)]
    assert added == [candidate.voxels] * 3
    rest = f"{left} candidate" if left else "no candidate"
    assert dock.message.startswith("Added ")
    assert dock.message.removesuffix(" left").removesuffix("s").endswith(f"(U undoes), {rest}")
    qtbot.waitUntil(lambda: len(dock.model.lesions) == 2)
    assert candidate not in dock.review.candidates
    press(dock, keys.UNDO)
    assert masks(viewer) == before
    qtbot.waitUntil(lambda: len(dock.model.lesions) == 1)
    assert dock.review.candidates[0] is candidate


def test_a_rejected_candidate_stays_rejected_and_is_in_the_table_that_is_saved(
    viewer, dock, tmp_path, monkeypatch
):
    before, candidate = masks(viewer), dock.review.candidates[0]
    dock.review.go_to(candidate)
    press(dock, keys.DELETE)
    assert masks(viewer) == before
    assert candidate not in dock.review.candidates
    dock.candidate_finder.refresh()
    assert candidate not in dock.review.candidates
    save_table(dock, tmp_path / "lesions.csv", monkeypatch)
    with (tmp_path / "lesions.csv").open() as file:
        rows = list(csv.DictReader(file))
    (row,) = [row for row in rows if row["accepted"] == "false" and row["list"] == "second_look"]
    assert row["decided_by"] and row["decided_at"].startswith("20")
    assert all(0 < float(row["score"]) < 1 for row in rows)
    press(dock, keys.UNDO)
    assert dock.review.candidates[0] is candidate


@pytest.mark.parametrize("name", [pytest.param("ET", marks=pytest.mark.one_binding), "WT"])
def test_a_candidate_is_not_added_to_a_hidden_mask(viewer, dock, name):
    before = masks(viewer)
    viewer.layers[f"Pat {name}"].visible = False
    dock.review.go_to(dock.review.candidates[0])
    press(dock, keys.ACCEPT)
    assert dock.message.startswith(f"{name} is hidden")
    dock.clicks.on_click(world(dock, MISSED.centre), False)
    assert dock.message.startswith(f"{name} is hidden")
    assert masks(viewer) == before


@pytest.mark.one_binding
def test_other_regions_have_no_second_list(dock):
    dock.region_box.setCurrentIndex(1)
    assert dock.review.candidates == []
    assert dock.candidates_title.text() == ""


def world(dock, voxel):
    """World coordinates of a voxel of the case."""
    source = dock.review.source
    return tuple(source.any_layer.data_to_world(source.to_data(voxel)))


@pytest.mark.parametrize("agrees", [True, False])
def test_a_click_and_the_key_ask_before_they_delete_what_is_not_small(
    viewer, dock, qtbot, monkeypatch, agrees
):
    asked: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda *args: bool(asked.append(args[2])) or agrees)
    dock.threshold.setValue(100)
    qtbot.waitUntil(lambda: [x.is_small for x in dock.review.lesions] == [False])
    before = masks(viewer)
    linked_planes(viewer).alt_clicked.emit(world(dock, FOUND.centre), True)
    assert len(asked) == 1 and (masks(viewer) == before) is not agrees
    if not agrees:
        dock.review.go_to(dock.review.lesions[0])
        press(dock, keys.DELETE)
        assert len(asked) == 2 and masks(viewer) == before


def test_alt_and_click_in_a_plane_adds_the_spot_and_with_shift_takes_it_away(viewer, dock, qtbot):
    before = masks(viewer)
    for candidate in list(dock.review.candidates):
        dock.review.reject([candidate])
    linked_planes(viewer).alt_clicked.emit(world(dock, MISSED.centre), False)
    added = masks(viewer)
    assert added[0] - before[0] == pytest.approx(257, rel=0.4)  # a ball of radius 4
    assert [b - a for a, b in zip(before, added, strict=True)] == [added[0] - before[0]] * 3
    qtbot.waitUntil(lambda: len(dock.review.lesions) == 2)
    linked_planes(viewer).alt_clicked.emit(world(dock, MISSED.centre), True)
    assert masks(viewer) == before
    press(dock, keys.UNDO)
    press(dock, keys.UNDO)
    assert masks(viewer) == before


def test_a_click_adds_nothing_where_there_is_nothing_to_add(viewer, dock):
    before = masks(viewer)
    for voxel, message in (
        (FOUND.centre, texts.IN_MASK),
        ((1, 1, 1), texts.NOTHING_ENHANCES),
        ((400, 1, 1), texts.NOTHING_ENHANCES),
        (np.add(MISSED.centre, (6, 0, 0)), texts.NOTHING_ENHANCES),  # beside a spot
    ):
        dock.clicks.on_click(world(dock, voxel), False)
        assert dock.message == message
    viewer.layers["Pat ET"].visible = False
    dock.clicks.on_click(world(dock, MISSED.centre), False)
    assert "hidden" in dock.message
    assert masks(viewer) == before


@pytest.mark.one_binding
def test_after_segmenting_again_the_candidates_are_those_of_the_new_result(viewer, dock, qtbot):
    layer, first = viewer.layers["Pat ET"], dock.review.candidates
    likely = dock.review.lesions[0].mean_probability
    less_certain = Spot(FOUND.centre, FOUND.radius, logit=5)  # with the same mask
    again = segment_again(viewer, dock, less_certain)
    assert grower_of(layer) is None
    qtbot.waitUntil(lambda: grower_of(layer) is not None and not dock.candidate_finder.busy)
    assert grower_of(layer).lookup == again.cropped.at
    assert not set(dock.review.candidates) & set(first)
    assert dock.review.lesions[0].mean_probability < likely


def canvas_press(viewer, point, modifiers):
    """A press as napari gives it, with vispy's keys: their str is not their name."""
    return SimpleNamespace(
        type="mouse_press",
        button=1,
        modifiers=modifiers,
        position=point,
        pos=np.zeros(2),
        view_direction=None,
        dims_displayed=list(viewer.dims.displayed),
        handled=False,
    )


@pytest.mark.parametrize(
    ("mode", "place"),
    [("paint", MISSED), pytest.param("erase", FOUND, marks=pytest.mark.one_binding)],
)
def test_alt_and_click_on_the_canvas_does_not_use_the_brush_too(viewer, dock, qtbot, mode, place):
    layer = viewer.layers["Pat ET"]
    layer.mode, layer.brush_size, layer.selected_label = mode, 10, 1
    callbacks, before = list(layer.mouse_drag_callbacks), masks(viewer)
    point = world(dock, place.centre)
    viewer.dims.set_point(range(3), point)
    event = canvas_press(viewer, point, (ALT,))
    mouse_press_callbacks(viewer, event)
    mouse_press_callbacks(layer, event)
    assert masks(viewer) == before
    qtbot.waitUntil(lambda: layer.mouse_drag_callbacks == callbacks)
    let_turns_pass(qtbot)
    assert (masks(viewer) == before) == (mode == "erase")


def test_a_click_with_alt_does_nothing_to_a_patient_who_is_shown_since(viewer, dock, qtbot):
    """What the click does comes a turn of the event loop after it."""
    patients, before = active_patient(viewer), masks(viewer)
    ours, point = patients.current, world(dock, FOUND.centre)
    open_segmented(viewer, "Other")
    (other,) = (patient for patient in patients.patients if patient != ours)
    patients.activate(ours)
    mouse_press_callbacks(viewer, canvas_press(viewer, point, (ALT, SHIFT)))
    patients.activate(other)
    others = np.count_nonzero(viewer.layers["Other ET"].data)
    qtbot.waitUntil(lambda: dock.message == texts.OTHER_PATIENT)
    assert masks(viewer) == before
    assert np.count_nonzero(viewer.layers["Other ET"].data) == others


def test_alt_and_click_in_3d_changes_nothing_and_says_why(viewer, dock, qtbot):
    layer = viewer.layers["Pat ET"]
    layer.mode = "paint"
    viewer.dims.ndisplay = 3
    callbacks, before = list(layer.mouse_drag_callbacks), masks(viewer)
    event = canvas_press(viewer, world(dock, MISSED.centre), (ALT,))
    mouse_press_callbacks(viewer, event)
    mouse_press_callbacks(layer, event)
    qtbot.waitUntil(lambda: layer.mouse_drag_callbacks == callbacks)
    assert masks(viewer) == before
    assert dock.message == texts.NOT_IN_3D


@pytest.mark.parametrize("mode", ["paint", pytest.param("erase", marks=pytest.mark.one_binding)])
def test_a_question_at_a_click_on_the_canvas_leaves_the_brush_alone(viewer, dock, qtbot, mode):
    """While it is open, events are handled, among them what gives the brush its callbacks back."""
    dock.threshold.setValue(100)
    qtbot.waitUntil(lambda: [x.is_small for x in dock.review.lesions] == [False])
    layer = viewer.layers["Pat ET"]
    layer.mode, layer.brush_size, layer.selected_label = mode, 10, 1
    before, asked = masks(viewer), []

    def cancel(text):
        let_turns_pass(qtbot)
        return bool(asked.append(text))

    dock.clicks.confirm = cancel
    point = world(dock, FOUND.centre)
    viewer.dims.set_point(range(3), point)
    event = canvas_press(viewer, point, (SHIFT, ALT))
    mouse_press_callbacks(viewer, event)
    mouse_press_callbacks(layer, event)
    qtbot.waitUntil(lambda: len(asked) == 1)
    assert masks(viewer) == before


def test_keys_act_on_the_table_with_the_selection(viewer, dock, qtbot):
    for name in ("ET", "TC", "WT"):
        viewer.layers[f"Pat {name}"].data[2:4, 2:4, 2:4] = 1
    dock.finder.search()
    qtbot.waitUntil(lambda: len(dock.review.lesions) == 2)
    candidates, before = list(dock.review.candidates), masks(viewer)
    dock.review.go_to(candidates[0])
    assert dock.selected_rows() == []
    dock.table.selectAll()
    assert not dock.candidates_table.selectionModel().hasSelection()
    dock.table.accept_pressed.emit()
    assert masks(viewer) == before and dock.review.candidates == candidates
    assert all(map(dock.review.is_accepted, dock.review.lesions))
    dock.review.go_to(candidates[0])
    dock.table.selectAll()
    dock.table.delete_pressed.emit()
    assert masks(viewer)[0] == 0 and dock.review.candidates == candidates


def test_without_t1_the_dock_says_what_the_second_look_needs(viewer, qtbot):
    settings.put("speck_below_mm3", 0)
    case = case_with(FOUND, MISSED, modalities="flair t1ce t2")
    for data, attributes, _ in image_layers(case)[-1:]:
        viewer.add_image(data, **attributes)
    result = Segmentation.from_probabilities(case, output_for(case, FOUND, MISSED))
    show_segmentation(viewer, case, result)
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Lesions")
    assert dock.candidates_title.text() == "Second look: searching ..."
    qtbot.waitUntil(lambda: not dock.candidate_finder.busy)
    assert dock.candidates_title.text() == texts.SECOND_LOOK_NEEDS
    dock.clicks.on_click(world(dock, MISSED.centre), False)
    assert dock.message == texts.SECOND_LOOK_NEEDS


@pytest.mark.one_binding
def test_candidates_are_small_below_the_volume_of_the_dock(dock, qtbot):
    candidate = dock.review.candidates[0]
    dock.threshold.setValue(int(candidate.mm3) - 1)
    assert not dock.review.candidates
    qtbot.waitUntil(lambda: bool(dock.review.candidates))
    assert candidate.is_small and not dock.review.candidates[0].is_small


@pytest.mark.one_binding
def test_a_table_of_candidates_alone_can_be_saved(dock):
    dock.review.set_lesions([])
    assert dock.save_button.isEnabled()


@pytest.mark.one_binding
def test_a_held_key_adds_or_rejects_one_candidate(dock):
    repeating = {key for key, shortcut in dock.keys.shortcuts.items() if shortcut.autoRepeat()}
    assert repeating == {keys.NEXT, keys.PREVIOUS, keys.UNDO}


@pytest.mark.slow
def test_decisions_hold_after_the_case_was_closed_opened_and_segmented_again(
    viewer, qtbot, tmp_path
):
    settings.put("speck_below_mm3", 0)
    written = case_with(FOUND, MISSED)
    for modality, values in written.volumes.items():
        image = nib.Nifti1Image(values, written.grid.affine)
        nib.save(image, tmp_path / f"Pat_{modality}.nii.gz")

    def opened(*spots):
        case = read_case(tmp_path)
        for data, attributes, _ in image_layers(case)[-1:]:
            viewer.add_image(data, **attributes)
        show_segmentation(
            viewer, case, Segmentation.from_probabilities(case, output_for(case, *spots))
        )
        dock = LesionsDock(viewer)
        viewer.window.add_dock_widget(dock, area="right", name="Lesions")
        qtbot.waitUntil(lambda: not dock.candidate_finder.busy and bool(dock.review.lesions))
        return dock

    first = opened(FOUND, MISSED)
    rejected = first.review.candidates[0]
    first.review.reject([rejected])
    viewer.window.remove_dock_widget(first)
    viewer.layers.clear()
    again = opened(FOUND, replace(MISSED, logit=3.4))
    assert not any(same_place(x, rejected) for x in again.review.candidates)
    (row,) = [
        x for x in reviewed(again.review, again.table_file.lesions) if same_place(x, rejected)
    ]
    assert row.accepted is False and row.decided_by


def same_place(one, other):
    """Whether two lesions have nearly the same centre."""
    return np.linalg.norm(np.subtract(one.centroid_ras_mm, other.centroid_ras_mm)) < 3


def test_the_second_list_says_that_its_scores_are_of_other_weights(viewer, dock, qtbot):
    case = dock.review.source.case
    run = InferenceRun(1.0, "cpu", "torch", "mine")
    result = Segmentation.from_probabilities(case, output_for(case, FOUND))
    show_segmentation(viewer, case, replace(result, run=run))
    qtbot.waitUntil(lambda: bool(dock.candidate_finder.score_warning))
    assert "may not hold for mine" in dock.candidates_title.toolTip()
    if dock.review.candidates:
        assert dock.candidates_title.text().endswith("scores for other weights")


def test_a_long_line_above_the_second_list_does_not_widen_the_dock(viewer, qtbot):
    dock = LesionsDock(viewer)  # Qt cuts off a dock in a full window that needs to be wider
    qtbot.addWidget(dock)
    dock.show_candidates("Second look", [], None)
    narrow = dock.candidates_title.minimumSizeHint().width()
    dock.show_candidates("Second look: 300 candidates, scores for other weights", [], None)
    assert dock.candidates_title.minimumSizeHint().width() <= max(narrow, dock.minimumWidth() // 2)


@pytest.mark.parametrize(
    ("maker", "says_so"),
    [
        (MadeBy("SEMIAUTOMATIC", "net"), True),
        (MadeBy("AUTOMATIC", "net"), True),
        (MadeBy("MANUAL"), False),
        (None, False),
    ],
)
def test_after_a_restore_the_dock_says_why_there_are_no_candidates(
    viewer, dock, qtbot, maker, says_so
):
    mask = np.ones((4, 4, 4), np.uint8)
    masks = [SavedMask(r.name, mask, (20, 40, 26), r, made_by=maker) for r in Region]
    restore(viewer, dock.review.source.case, masks)
    qtbot.waitUntil(lambda: [x.voxels for x in dock.review.lesions] == [64])
    qtbot.waitUntil(lambda: not dock.review.candidates)
    title = dock.candidates_title
    expected = (
        "No probabilities for a second look were saved with this mask. "
        "Alt+G segments again and replaces it."
    )
    assert title.text() == (expected if says_so else "")
    assert title.isHidden() != says_so
    dock.clicks.on_click(viewer.layers["Pat ET"].data_to_world((1, 1, 1)), False)
    assert dock.message == (
        "To add by a click, segment again (Alt+G): this replaces the mask"
        if says_so
        else "Segment the case first to add by a click"
    )


def names_of_buttons(dock) -> tuple[str, str]:
    return dock.accept_button.text(), dock.delete_button.text()


def test_the_dock_says_that_a_candidate_follows_and_the_buttons_what_they_do(dock):
    assert names_of_buttons(dock) == ("Accept", "Delete")
    press(dock, keys.NEXT)
    assert names_of_buttons(dock) == ("Accept", "Delete")
    press(dock, keys.ACCEPT)
    assert dock.review.is_candidate(dock.review.current)
    assert dock.message == "All small accepted; K adds the candidate"
    assert names_of_buttons(dock) == ("Add", "Reject")
    assert dock.accept_button.toolTip() == "Add the candidate to ET, TC and WT (K)"
    assert dock.delete_button.toolTip() == "Reject the candidate for this patient (W)"
    press(dock, keys.PREVIOUS)
    assert names_of_buttons(dock) == ("Accept", "Delete")
    assert "Delete the selected lesions" in dock.delete_button.toolTip()
