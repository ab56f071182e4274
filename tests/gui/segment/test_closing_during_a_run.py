"""A patient, a window or a dock is closed during a run."""

from __future__ import annotations

import pytest
from event_loop import let_workers_end
from napari_cases import write_case_along
from qtpy.QtCore import QTimer

from napari_smalltumor import notify, questions
from napari_smalltumor.closing.close_patient import close_active
from napari_smalltumor.layers.patient import layers_of_patient
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


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
    assert ended.args == [False]
    qtbot.waitUntil(slow.ended.is_set)
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


def test_closing_the_window_during_a_run_cancels_the_run(opened, slow, errors, qtbot):
    viewer, dock = opened
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    viewer.close()
    qtbot.waitUntil(lambda: slow.ended.is_set())
    let_workers_end(qtbot)
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


def test_a_dock_that_is_put_back_shows_the_run_of_another_one(opened, dock_of, slow, errors, qtbot):
    viewer, dock = opened
    viewer.window.remove_dock_widget(dock)
    other = dock_of(viewer)
    other.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    viewer.window.add_dock_widget(dock, name="again")
    assert dock.run is other.run and not dock.panel._segment.isEnabled()
    with qtbot.waitSignal(dock.finished) as ended:
        slow.go.set()
    assert ended.args == [True] and dock.panel._segment.isEnabled()
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
