"""What is chosen in the Segment dock, and what is said of a choice that cannot be segmented."""

from __future__ import annotations

import pytest
from napari_cases import write_case_along
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFileDialog

from napari_smalltumor import notify, questions
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


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
    assert panel._export.toolTip() == "Export and Report need ET, TC and WT: segment the case first"
    assert panel._export_hint.isHidden()
    layers = open_case(viewer, synthetic_case)
    assert states() == (True, False) and not panel._export_hint.isHidden()
    slow.go.set()
    dock = panel.parent().parent()
    with qtbot.waitSignal(dock.finished):
        panel._segment.click()
    assert states() == (True, True) and panel._export_hint.isHidden()
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
    assert dock.panel.step == "⚠ Not segmented: Choose a layer for T1CE"
    assert not dock.is_running


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


def test_a_click_before_another_patient_is_drawn_is_answered(opened, tmp_path, qtbot, monkeypatch):
    viewer, dock = opened
    open_case(viewer, write_case_along(tmp_path / "next", labels=False))
    window, patients = viewer.window._qt_window, active_patient(viewer)
    with qtbot.waitExposed(window):
        window.show()
    told, clicked = [], []
    monkeypatch.setattr(notify, "info", told.append)
    dock.panel.segment_clicked.disconnect(dock.segment)
    dock.panel.segment_clicked.connect(lambda: clicked.append(patients.title))

    def click() -> None:
        qtbot.mouseClick(dock.panel._segment, Qt.MouseButton.LeftButton)

    def activate_and_click() -> None:
        patients.activate(patients.patients[0])
        click()

    QTimer.singleShot(0, activate_and_click)  # in the event loop, as in use
    qtbot.waitUntil(lambda: bool(told))
    assert clicked == [] and told == [
        "A click did nothing, because the picture was still being drawn. Click again."
    ]
    click()
    assert clicked == ["case"]
