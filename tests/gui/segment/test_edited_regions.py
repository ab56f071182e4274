"""Edited regions are replaced by a result only if the user agrees."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import QTimer
from shown_layers import first_regions
from smalltumor.labels.regions import Region

from napari_smalltumor import questions
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.masks.regions import region_layer
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.segment import replaced_edits


def edited_et(viewer):
    """Paint or erase a voxel of ET; the layer, and its voxels then."""
    et = first_regions(viewer)[Region.ET]
    et.paint((9, 10, 11), 1 - int(et.data[9, 10, 11]))
    return et, et.data.copy()


@pytest.mark.slow
def test_edits_are_replaced_only_if_the_user_agrees(opened, run, monkeypatch, qtbot):
    viewer, dock = opened
    assert run(dock)
    et, edited = edited_et(viewer)
    answers, asked = ["Cancel", "Replace"], []
    monkeypatch.setattr(questions, "ask", lambda *a, harmless: asked.append(a) or answers.pop(0))
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
    et = first_regions(viewer)[Region.ET]
    et.paint((9, 10, 11), 1)
    edited = et.data.copy()
    monkeypatch.setattr(questions, "confirm", lambda *a: False)
    with qtbot.waitSignal(dock.finished) as ended:
        slow.go.set()
    assert ended.args == [False]
    assert np.array_equal(et.data, edited)


@pytest.mark.one_binding
def test_regions_from_a_file_are_replaced_without_a_question_until_they_are_edited(
    opened, run, tmp_path, monkeypatch
):
    viewer, dock = opened
    asked = []
    monkeypatch.setattr(questions, "ask", lambda *a, harmless: asked.append(a[1]) or harmless)
    case = case_of(viewer.layers[0])
    mask = np.zeros(case.grid.shape, bool)
    mask[8:11, 8:11, 8:11] = True
    for region in Region:
        viewer.add_layer(Layer.create(*region_layer(case, region, mask)))
    first_regions(viewer)[Region.ET].paint((3, 3, 3), 1)
    dock.segment()
    assert asked == ["Replace edited regions?"] and not dock.is_running
    first_regions(viewer)[Region.ET].undo()
    assert run(dock)
    assert len(asked) == 1


@pytest.mark.one_binding
def test_edited_regions_can_be_saved_before_they_are_replaced(opened, run, monkeypatch):
    viewer, dock = opened
    assert run(dock)
    _, edited = edited_et(viewer)
    answers = []
    monkeypatch.setattr(
        questions, "ask", lambda *a, harmless: answers.append(a[3:]) or "Save, then replace"
    )
    assert run(dock)
    assert answers == [("Save, then replace", "Replace", "Cancel")]
    case = case_of(viewer.layers[0])
    (saved,) = case.paths["t1ce"].parent.glob("*_smalltumor.nii.gz")
    stored = np.asarray(nib.load(saved).dataobj)
    saved.unlink()  # other tests open the case, too
    assert np.array_equal(to_display(stored == 4, case.grid), edited != 0)
    assert not np.array_equal(first_regions(viewer)[Region.ET].data, edited)


@pytest.mark.one_binding
def test_edits_that_could_not_be_saved_are_not_replaced(opened, run, monkeypatch):
    viewer, dock = opened
    assert run(dock)
    et, edited = edited_et(viewer)
    monkeypatch.setattr(questions, "ask", lambda *a, harmless: "Save, then replace")
    monkeypatch.setattr(replaced_edits, "save_patient", lambda *a: False)
    dock.segment()
    assert not dock.is_running and np.array_equal(et.data, edited)


@pytest.mark.one_binding
def test_edits_of_regions_that_were_removed_are_asked_about(opened, run, monkeypatch):
    viewer, dock = opened
    asked = []
    monkeypatch.setattr(questions, "confirm", lambda *a: bool(asked.append(a[1])))
    assert run(dock)
    regions = first_regions(viewer)
    regions[Region.ET].paint((3, 3, 3), 1)
    for layer in regions.values():
        viewer.layers.remove(layer)
    dock.segment()
    assert asked == ["Replace edited regions?"] and not dock.is_running


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
