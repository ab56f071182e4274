"""The Segment dock in a real viewer: results, progress, errors and cancelling."""

from __future__ import annotations

import numpy as np
import pytest
import smalltumor.inference
from event_loop import let_workers_end
from napari.utils import progress
from napari_cases import displayed, write_case_along
from qtpy.QtWidgets import QDialog
from shown_layers import first_regions
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.errors import CheckpointError
from smalltumor.labels.regions import Region
from smalltumor.text import volume_text

from napari_smalltumor import progress_worker, questions
from napari_smalltumor.export.case_export import export_case
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.layers.patient import Patient, layers_of_patient
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


@pytest.mark.one_binding
def test_a_run_shows_three_nested_regions_and_their_volumes(opened, run):
    viewer, dock = opened
    assert run(dock)
    layers = first_regions(viewer)
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


def test_a_result_waits_until_an_open_dialog_is_closed(opened, slow, qtbot):
    viewer, dock = opened
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    dialog = QDialog(viewer.window._qt_window)
    dialog.open()
    with qtbot.waitSignal(dock.run.worker.returned):
        slow.go.set()
    qtbot.wait(500)
    assert dock.is_running and not first_regions(viewer)
    with qtbot.waitSignal(dock.finished) as ended:
        dialog.close()
    assert ended.args == [True] and first_regions(viewer)


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

    def has_bar() -> bool:
        return any("segmentation of" in bar.desc for bar in progress._all_instances)

    monkeypatch.setattr(progress_worker, "_SHORT_RUN_S", short_s)
    dock.panel.segment_clicked.emit()
    qtbot.waitUntil(lambda: dock.panel._progress.value() == 500)
    if shown:  # by another receiver of the signal, perhaps in a later turn of the event loop
        qtbot.waitUntil(has_bar)
    assert has_bar() == shown
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
    assert dock.panel.step == "⚠ Not segmented: weights.safetensors: damaged"
    assert dock.panel._segment.isEnabled()
    monkeypatch.undo()
    assert run(dock)
    assert dock.panel.step == ""


@pytest.mark.one_binding
def test_the_run_of_a_patient_who_is_not_shown_is_cancelled_after_a_question(
    opened, slow, tmp_path, errors, qtbot, monkeypatch
):
    asked, answers = [], [False, True]
    monkeypatch.setattr(
        questions, "confirm", lambda p, t, text, a: asked.append(text) or answers.pop(0)
    )
    viewer, dock = opened
    dock.segment()
    open_case(viewer, write_case_along(tmp_path / "next", labels=False))
    dock.panel.cancel_clicked.emit()
    assert asked == ["case, who is not the active patient, is being segmented. Stop that?"]
    assert dock.is_running and not dock.run.is_cancelling
    with qtbot.waitSignal(dock.finished):
        dock.panel.cancel_clicked.emit()
    assert len(asked) == 2 and errors == []


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
def test_each_viewer_segments_its_own_layers(make_napari_viewer, dock_of, synthetic_case, run):
    first, second = make_napari_viewer(), make_napari_viewer()
    docks = dock_of(first), dock_of(second)
    open_case(first, synthetic_case)
    assert docks[1].panel.pickers.chosen["t1ce"] is None
    open_case(second, synthetic_case)
    assert run(docks[0])
    assert len(first.layers) == 7
    assert len(second.layers) == 4


@pytest.mark.one_binding
def test_images_of_another_reader_are_of_another_patient_than_those_segmented_before(
    make_napari_viewer, dock_of, slow, run
):
    """Neither has a file that would tell them apart, nor a name."""
    viewer = make_napari_viewer()
    dock, volume = dock_of(viewer), np.arange(20**3, dtype=np.float32).reshape(20, 20, 20)
    slow.go.set()
    for number, named in ((1, str.lower), (2, str.upper)):
        for modality in MODALITIES:
            layer = viewer.add_image(number * volume, name=named(modality))
            dock.panel.pickers.choose(modality, layer)
        assert run(dock)
    names = [patient.name for patient in active_patient(viewer).patients]
    assert names == ["case", "case 2"]
    assert [len(layers_of_patient(viewer.layers, Patient(name))) for name in names] == [7, 7]


@pytest.mark.slow
def test_segmenting_a_second_case_leaves_the_first_unchanged(opened, run, tmp_path):
    viewer, dock = opened
    assert run(dock)
    first = {region: layer.data.copy() for region, layer in first_regions(viewer).items()}
    open_case(viewer, write_case_along(tmp_path / "Other", "RSA", labels=False))
    assert dock.panel.pickers.chosen["t1ce"].name == "Other T1CE"
    assert run(dock)
    assert [layer.name for layer in viewer.layers[-3:]] == ["Other WT", "Other TC", "Other ET"]
    for region, layer in first_regions(viewer).items():
        assert np.array_equal(layer.data, first[region])


@pytest.mark.one_binding
def test_exported_files_contain_the_masks_that_are_shown(opened, run, tmp_path):
    import nibabel as nib

    viewer, dock = opened
    assert run(dock)
    layers = first_regions(viewer)
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
    let_workers_end(qtbot)
    assert not dock.is_running
