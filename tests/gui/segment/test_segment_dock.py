"""The Segment dock in a real viewer: runs, edits, cancelling and closing."""

import threading

import numpy as np
import pytest
import smalltumor.inference
from deletion import delete
from napari.layers import Layer
from napari.utils import progress
from napari_cases import displayed, write_case_along
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDialog, QFileDialog
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import Cancelled, CheckpointError
from smalltumor.labels.regions import Region
from smalltumor.text import volume_text

from napari_smalltumor import notify, progress_worker, questions, settings
from napari_smalltumor.close_patient import close_active
from napari_smalltumor.export.case_export import export_case
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.patient import layers_of_patient
from napari_smalltumor.layers.regions import region_layer
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


class SlowNetwork:
    """A network that runs until `go` is set or it is cancelled, and finds one voxel."""

    def __init__(self) -> None:
        self.started, self.go, self.ended = (threading.Event() for _ in range(3))

    def __call__(self, case, checkpoint=None, *, progress, cancelled, **options):
        self.started.set()
        progress(0.5, "halfway")
        try:
            while not self.go.wait(0.01):
                if cancelled():
                    raise Cancelled("cancelled")
        finally:
            self.ended.set()
        classes = np.zeros(case.grid.shape, np.uint8)
        classes[10, 11, 9] = 3
        return Segmentation(case.name, classes, case.grid, case.header)


@pytest.fixture
def slow(monkeypatch):
    network = SlowNetwork()
    monkeypatch.setattr(smalltumor.inference, "segment", network)
    yield network
    network.go.set()


def layers_of(viewer):
    case = case_of(viewer.layers[0])
    return region_layers(viewer.layers, case)


@pytest.mark.one_binding
def test_pickers_follow_layers_that_are_added_removed_and_renamed(opened):
    viewer, dock = opened
    chosen = dock.panel.pickers.chosen
    assert {m: layer.name for m, layer in chosen.items()} == {
        "flair": "case FLAIR",
        "t1ce": "case T1CE",
        "t1": "case T1",
        "t2": "case T2",
    }
    chosen["t1"].name = "renamed"
    combo = dock.panel.pickers._combos["t1"]
    assert combo.current_choice == "renamed"
    assert combo.value is chosen["t1"]
    viewer.layers.remove("renamed")
    assert dock.panel.pickers.chosen == {**chosen, "t1": None}
    viewer.layers.append(chosen["t1"])
    assert dock.panel.pickers.chosen == chosen


@pytest.mark.one_binding
def test_a_run_shows_three_nested_regions_and_their_volumes(opened, run):
    viewer, dock = opened
    assert run(dock)
    layers = layers_of(viewer)
    assert [layer.name for layer in viewer.layers[-3:]] == ["case WT", "case TC", "case ET"]
    et, tc, wt = (layers[r].data != 0 for r in Region)
    assert not np.any(et & ~tc) and not np.any(tc & ~wt)
    text = dock.panel.results.text
    assert text.startswith("case\n")
    assert f"{volume_text(np.count_nonzero(wt) / 1000)} ml" in text
    assert "random weights" in text
    before = list(viewer.layers)
    assert run(dock)  # the second run replaces the data of the same layers
    assert list(viewer.layers) == before


def test_edits_are_replaced_only_if_the_user_agrees(opened, run, monkeypatch, qtbot):
    viewer, dock = opened
    assert run(dock)
    et = layers_of(viewer)[Region.ET]
    et.paint((9, 10, 11), 1 - int(et.data[9, 10, 11]))
    edited = et.data.copy()
    answers, asked = [False, True], []
    monkeypatch.setattr(questions, "confirm", lambda *a: asked.append(a) or answers.pop(0))
    dock.segment()
    assert not dock.is_running
    assert np.array_equal(et.data, edited)
    assert run(dock)
    assert not np.array_equal(et.data, edited)
    assert len(asked) == 2


def test_edits_made_during_a_run_are_kept_if_the_user_answers_no(
    opened, run, slow, monkeypatch, qtbot
):
    viewer, dock = opened
    slow.go.set()
    assert run(dock)
    slow.go.clear()
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    et = layers_of(viewer)[Region.ET]
    et.paint((9, 10, 11), 1)
    edited = et.data.copy()
    monkeypatch.setattr(questions, "confirm", lambda *a: False)
    with qtbot.waitSignal(dock.finished) as ended:
        slow.go.set()
    assert ended.args == [False]
    assert np.array_equal(et.data, edited)


def test_a_result_waits_until_an_open_dialog_is_closed(opened, slow, qtbot):
    viewer, dock = opened
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    dialog = QDialog(viewer.window._qt_window)
    dialog.open()
    with qtbot.waitSignal(dock.run.worker.returned):
        slow.go.set()
    qtbot.wait(500)
    assert dock.is_running and not layers_of(viewer)
    with qtbot.waitSignal(dock.finished) as ended:
        dialog.close()
    assert ended.args == [True] and layers_of(viewer)


@pytest.mark.one_binding
def test_cancelling_leaves_the_layers_unchanged(opened, slow, qtbot):
    viewer, dock = opened
    before = list(viewer.layers)
    dock.panel.segment_clicked.emit()
    qtbot.waitUntil(lambda: dock.panel._progress.value() == 500)
    assert dock.panel.step == "halfway"
    with qtbot.waitSignal(dock.finished) as ended:
        dock.panel.cancel_clicked.emit()
    assert ended.args == [False]
    assert list(viewer.layers) == before
    assert not dock.is_running
    assert dock.panel._segment.isEnabled()


@pytest.mark.one_binding
@pytest.mark.parametrize(("short_s", "shown"), [(0.0, True), (600.0, False)])
def test_only_a_long_run_is_shown_in_the_activity_dock(
    opened, slow, monkeypatch, qtbot, short_s, shown
):
    _, dock = opened
    monkeypatch.setattr(progress_worker, "_SHORT_RUN_S", short_s)
    dock.panel.segment_clicked.emit()
    qtbot.waitUntil(lambda: dock.panel._progress.value() == 500)
    assert any("segmentation of" in bar.desc for bar in progress._all_instances) == shown
    with qtbot.waitSignal(dock.finished):
        slow.go.set()
    qtbot.waitUntil(lambda: not progress._all_instances)


def test_an_error_is_shown_in_one_line_and_the_dock_is_ready_again(
    opened, run, errors, monkeypatch
):
    _, dock = opened

    def fail(*args, **options):
        raise CheckpointError("weights.safetensors: damaged")

    monkeypatch.setattr(smalltumor.inference, "segment", fail)
    assert not run(dock)
    assert errors == ["weights.safetensors: damaged"]
    assert dock.panel._segment.isEnabled()


def test_swapped_images_are_named_at_the_pickers_and_asked_about(opened, slow, monkeypatch, qtbot):
    _, dock = opened
    pickers, asked = dock.panel.pickers, []
    t1, t1ce = pickers.chosen["t1"], pickers.chosen["t1ce"]
    assert dock.panel.choice_warning == ""
    pickers.choose("t1", t1ce)
    pickers.choose("t1ce", t1)
    assert "case T1CE is T1CE, but is chosen as T1" in dock.panel.choice_warning
    monkeypatch.setattr(questions, "confirm", lambda *a: bool(asked.append(a[2])))
    dock.segment()
    assert asked[0].startswith("case: ")
    assert "case T1CE is T1CE, but is chosen as T1" in asked[0]
    assert not dock.is_running
    monkeypatch.setattr(questions, "confirm", lambda *a: True)
    slow.go.set()
    with qtbot.waitSignal(dock.finished):
        dock.segment()
    pickers.choose("t1", t1)  # chooses the other images of the case as well
    assert dock.panel.choice_warning == ""


@pytest.mark.one_binding
def test_buttons_without_anything_to_act_on_are_disabled_and_say_why(
    make_napari_viewer, dock_of, synthetic_case, slow, qtbot
):
    viewer = make_napari_viewer()
    panel = dock_of(viewer).panel
    states = lambda: (panel._segment.isEnabled(), panel._export.isEnabled())  # noqa: E731
    assert states() == (False, False)
    assert panel._segment.toolTip() == "Open a case first"
    assert panel._export.toolTip() == "Segment a case first"
    layers = open_case(viewer, synthetic_case)
    assert states() == (True, False)
    slow.go.set()
    dock = panel.parent().parent()
    with qtbot.waitSignal(dock.finished):
        panel._segment.click()
    assert states() == (True, True)
    viewer.layers.remove(layers[0])
    assert panel._segment.toolTip() == "Choose a layer for FLAIR"
    assert states() == (False, True)


def test_a_file_that_holds_no_weights_is_refused_at_the_picker(
    opened, errors, tmp_path, monkeypatch
):
    _, dock = opened
    before = dock.panel.options.weights_path
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(b"no weights")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(path), ""))
    dock.panel.options._weights.value = "file..."
    assert dock.panel.options.weights_path == before
    assert "wrong.safetensors: not a safetensors file" in errors[0]


def test_the_error_about_a_missing_layer_names_its_modality(opened, errors):
    viewer, dock = opened
    viewer.layers.remove("case T1CE")
    dock.segment()
    assert errors == ["Choose a layer for T1CE"]
    assert not dock.is_running


@pytest.mark.one_binding
def test_closing_a_patient_cancels_its_run_and_says_so(
    opened, slow, tmp_path, errors, qtbot, monkeypatch
):
    viewer, dock = opened
    said = []
    monkeypatch.setattr(notify, "info", said.append)
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    first = active_patient(viewer).current
    open_case(viewer, write_case_along(tmp_path / "next", labels=False))
    with qtbot.waitSignal(dock.finished) as ended:
        for layer in layers_of_patient(viewer.layers, first):
            viewer.layers.remove(layer)
    assert ended.args == [False] and slow.ended.is_set()
    assert said == ["case was closed, and its segmentation was cancelled."]
    assert dock.panel.step == "" and dock.panel._segment.isEnabled()
    assert len(viewer.layers) == 4
    assert errors == []


def test_closing_a_patient_that_is_being_segmented_is_asked_about(
    opened, slow, errors, qtbot, monkeypatch
):
    viewer, dock = opened
    asked, said, answers = [], [], [False, True]
    monkeypatch.setattr(
        questions, "confirm", lambda p, title, text, a: asked.append(text) or answers.pop(0)
    )
    monkeypatch.setattr(notify, "info", said.append)
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    close_active(viewer)
    assert dock.is_running and len(viewer.layers) == 4
    with qtbot.waitSignal(dock.finished) as ended:
        close_active(viewer)
    assert asked == ["case is being segmented. Closing the patient cancels that."] * 2
    assert ended.args == [False] and not viewer.layers
    assert said == [] and errors == [] and dock.panel.step == ""


def test_a_patient_who_is_closed_while_the_result_is_added_stays_closed(
    opened, slow, errors, qtbot
):
    viewer, dock = opened

    def close_at_once(event):
        if event.value.name == "case ET":
            QTimer.singleShot(0, viewer.layers.clear)

    viewer.layers.events.inserted.connect(close_at_once)
    slow.go.set()
    with qtbot.waitSignal(dock.finished) as ended:
        dock.segment()
    assert ended.args == [False] and not viewer.layers
    assert errors == []


@pytest.mark.one_binding
def test_progress_of_another_patient_always_has_its_name(
    opened, dock_of, slow, tmp_path, errors, qtbot
):
    viewer, dock = opened
    dock.segment()
    assert dock.panel.step == "starting"
    first = active_patient(viewer).current
    open_case(viewer, write_case_along(tmp_path / "next", labels=False))
    assert dock.panel.step.startswith("case: ")
    qtbot.waitUntil(lambda: dock.panel.step == "case: halfway")
    active_patient(viewer).activate(first)
    assert dock.panel.step == "halfway"
    active_patient(viewer).activate(active_patient(viewer).patients[-1])
    assert dock_of(viewer).panel.step == dock.panel.step == "case: halfway"
    with qtbot.waitSignal(dock.finished):
        dock.cancel()
        assert dock.panel.step == "case: cancelling"
    assert dock.panel.step == "case: Cancelled"
    assert errors == []


@pytest.mark.one_binding
def test_a_region_removed_while_the_result_is_shown_stays_removed(opened, slow, errors, qtbot):
    viewer, dock = opened

    def delete_at_once(event):
        if event.value.name == "case ET":
            QTimer.singleShot(0, lambda: viewer.layers.remove("case ET"))

    viewer.layers.events.inserted.connect(delete_at_once)
    slow.go.set()
    with qtbot.waitSignal(dock.finished) as ended:
        dock.segment()
    assert ended.args == [True]
    assert [layer.name for layer in viewer.layers[4:]] == ["case WT", "case TC"]
    assert errors == []


def test_closing_the_window_during_a_run_cancels_the_run(opened, slow, errors, qtbot):
    viewer, dock = opened
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    viewer.close()
    qtbot.waitUntil(lambda: slow.ended.is_set())
    qtbot.wait(50)
    assert errors == []


@pytest.mark.one_binding
def test_a_run_goes_on_when_its_dock_is_closed_and_the_next_dock_shows_it(
    opened, dock_of, slow, errors, qtbot, monkeypatch
):
    viewer, dock = opened
    said = []
    monkeypatch.setattr(notify, "info", said.append)
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    viewer.window.remove_dock_widget(dock)
    assert said == [
        "case is still being segmented. Open the Segment dock again to see the progress or to "
        "cancel."
    ]
    again = dock_of(viewer)
    assert again.is_running and not again.panel._segment.isEnabled()
    with qtbot.waitSignal(again.finished) as ended:
        slow.go.set()
    assert ended.args == [True]
    assert [layer.name for layer in viewer.layers[4:]] == ["case WT", "case TC", "case ET"]
    assert not again.is_running and again.panel._segment.isEnabled()
    assert errors == []


def test_a_second_dock_of_a_window_shows_the_run_instead_of_starting_another(
    opened, dock_of, slow, errors, qtbot
):
    viewer, dock = opened
    second = dock_of(viewer)
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    second.segment()
    assert second.run is dock.run
    with qtbot.waitSignal(second.finished) as ended:
        slow.go.set()
    assert ended.args == [True] and not dock.is_running
    assert errors == []


def test_a_run_whose_dock_was_closed_is_cancelled_in_the_next_dock(
    opened, dock_of, slow, errors, qtbot
):
    viewer, dock = opened
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    viewer.window.remove_dock_widget(dock)
    again = dock_of(viewer)
    with qtbot.waitSignal(again.finished) as ended:
        again.panel.cancel_clicked.emit()
    assert ended.args == [False] and len(viewer.layers) == 4
    assert again.panel.step == "Cancelled"
    assert errors == []


@pytest.mark.one_binding
def test_each_viewer_segments_its_own_layers(make_napari_viewer, dock_of, synthetic_case, run):
    first, second = make_napari_viewer(), make_napari_viewer()
    docks = dock_of(first), dock_of(second)
    open_case(first, synthetic_case)
    assert docks[1].panel.pickers.chosen["t1ce"] is None
    open_case(second, synthetic_case)
    assert run(docks[0])
    assert len(first.layers) == 7
    assert len(second.layers) == 4


@pytest.mark.slow
def test_segmenting_a_second_case_leaves_the_first_unchanged(opened, run, tmp_path):
    viewer, dock = opened
    assert run(dock)
    first = {region: layer.data.copy() for region, layer in layers_of(viewer).items()}
    open_case(viewer, write_case_along(tmp_path / "Other", "RSA", labels=False))
    assert dock.panel.pickers.chosen["t1ce"].name == "Other T1CE"
    assert run(dock)
    assert [layer.name for layer in viewer.layers[-3:]] == ["Other WT", "Other TC", "Other ET"]
    for region, layer in layers_of(viewer).items():
        assert np.array_equal(layer.data, first[region])


@pytest.mark.one_binding
def test_exported_files_contain_the_masks_that_are_shown(opened, run, tmp_path):
    import nibabel as nib

    viewer, dock = opened
    assert run(dock)
    layers = layers_of(viewer)
    layers[Region.ET].paint((9, 10, 11), 1)
    case = case_of(layers[Region.ET])
    written = export_case(viewer, case, tmp_path / "out", scheme="msd", per_region=True)
    for path, region in zip(written, Region, strict=True):
        stored = np.asarray(nib.load(path).dataobj)  # the case has the axes L, P, S
        assert np.array_equal(displayed(stored), layers[region].data)


def test_a_run_that_does_not_stop_after_cancelling_is_abandoned(opened, slow, qtbot, monkeypatch):
    _, dock = opened
    run = slow.__class__.__call__

    def run_without_cancelling(case, checkpoint=None, *, progress, cancelled, **options):
        return run(slow, case, progress=progress, cancelled=lambda: False)

    monkeypatch.setattr(smalltumor.inference, "segment", run_without_cancelling)
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    with qtbot.waitSignal(dock.finished) as ended:
        dock.cancel()
    assert ended.args == [False]
    assert not slow.ended.is_set()
    slow.go.set()
    qtbot.waitUntil(lambda: slow.ended.is_set())
    qtbot.wait(50)
    assert not dock.is_running


def delete_after_closing(viewer, dock):
    """Close the dock as its button does, and let Qt delete the widget."""
    viewer.window.remove_dock_widget(dock)
    delete(dock)


def delete_with_parent(viewer, dock):
    """Delete the dock without taking it out of its window first."""
    delete(dock.parent())


@pytest.mark.parametrize("delete_dock", [delete_after_closing, delete_with_parent])
def test_a_deleted_dock_ignores_later_changes(
    opened, synthetic_case, qtbot, raised, errors, delete_dock
):
    viewer, dock = opened
    delete_dock(viewer, dock)
    viewer.layers[0].name = "renamed"
    viewer.layers.move(0, 2)
    viewer.layers.clear()
    open_case(viewer, synthetic_case)
    settings.put("weights", "")
    qtbot.wait(50)
    assert (errors, raised) == ([], [])


@pytest.mark.one_binding
def test_a_dock_that_is_removed_and_added_again_follows_the_viewer(opened, run, synthetic_case):
    viewer, dock = opened
    viewer.window.remove_dock_widget(dock)
    viewer.layers.clear()
    open_case(viewer, synthetic_case)
    viewer.window.add_dock_widget(dock, name="again")
    assert dock.panel.pickers.chosen["t1"] is viewer.layers["case T1"]
    viewer.layers.remove("case T1")
    assert dock.panel.pickers.chosen["t1"] is None
    assert dock.panel._segment.toolTip() == "Choose a layer for T1"


def is_connected(emitter, receiver) -> bool:
    callbacks = [callback for callback in emitter.callbacks if isinstance(callback, tuple)]
    return any(reference() is receiver for reference, _ in callbacks)


@pytest.mark.parametrize("delete_dock", [delete_after_closing, delete_with_parent])
def test_pickers_of_a_deleted_dock_are_disconnected_from_the_viewer(opened, delete_dock):
    viewer, dock = opened
    events, pickers = viewer.layers.events, dock.panel.pickers
    emitters = [events.inserted, events.removed, events.reordered, viewer.layers[0].events.name]
    assert all(is_connected(emitter, pickers) for emitter in emitters)
    delete_dock(viewer, dock)
    assert not any(is_connected(emitter, pickers) for emitter in emitters)


@pytest.mark.one_binding
@pytest.mark.parametrize("delete_dock", [delete_after_closing, delete_with_parent])
def test_a_run_goes_on_when_its_dock_is_deleted(opened, slow, qtbot, raised, errors, delete_dock):
    viewer, dock = opened
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    delete_dock(viewer, dock)
    slow.go.set()
    qtbot.waitUntil(lambda: len(viewer.layers) == 7)
    assert (errors, raised) == ([], [])


@pytest.mark.one_binding
def test_regions_from_a_file_are_replaced_without_a_question_until_they_are_edited(
    opened, run, tmp_path, monkeypatch
):
    viewer, dock = opened
    asked = []
    monkeypatch.setattr(questions, "confirm", lambda *a: bool(asked.append(a[1])))
    case = case_of(viewer.layers[0])
    mask = np.zeros(case.grid.shape, bool)
    mask[8:11, 8:11, 8:11] = True
    for region in Region:
        viewer.add_layer(Layer.create(*region_layer(case, region, mask)))
    layers_of(viewer)[Region.ET].paint((3, 3, 3), 1)
    dock.segment()
    assert asked == ["Replace edited regions?"] and not dock.is_running
    layers_of(viewer)[Region.ET].undo()
    assert run(dock)
    assert len(asked) == 1
