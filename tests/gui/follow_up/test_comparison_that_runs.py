"""A comparison that runs while another patient becomes active, or its own is closed."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from event_loop import let_turns_pass, let_workers_end
from follow_up_scans import compared, write_scan
from qtpy.compat import isalive
from qtpy.QtWidgets import QLineEdit, QListView
from report_cases import tumour
from smalltumor.follow_up import ScanRegistration, compare
from smalltumor.labels.regions import Region

from napari_smalltumor import questions
from napari_smalltumor.closing.close_patient import close_patient
from napari_smalltumor.follow_up.earlier_layers import earlier_layer
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


@pytest.mark.slow
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
        assert dock.message.text() == "Comparing BraTS2021_2 with BraTS2021_1 ..."
        open_case(viewer, write_scan(tmp_path / "BraTS2021_3", tumour()))
        assert "another patient, BraTS2021_2, with BraTS2021_1 ..." in dock.message.text()
        assert dock.choose_button.toolTip().startswith("A comparison is running")
        name = being_renamed(viewer, qtbot)
    finally:
        proceed.set()
    qtbot.waitUntil(lambda: not dock.busy)
    assert "another patient" not in dock.message.text()
    assert isalive(name) and name.isVisible()
    patients.activate(first)
    assert earlier_layer(viewer, first) is not None
    assert viewer.layers.selection.active is et
    name = being_renamed(viewer, qtbot)
    dock.compare_again()  # the layers of the earlier scan are replaced
    qtbot.waitUntil(lambda: not dock.busy)
    assert isalive(name) and name.isVisible()


def test_a_comparison_made_again_while_the_earlier_scan_is_shown_activates_nobody(
    dock, qtbot, earlier_scan, tmp_path
):
    viewer, patients = dock._viewer, active_patient(dock._viewer)
    first = patients.current
    compared(dock, qtbot, earlier_scan)
    dock.flicker()  # shows the earlier scan
    dock.compare_again()
    open_case(viewer, write_scan(tmp_path / "BraTS2021_3", tumour()))
    other = patients.current
    assert other != first
    qtbot.waitUntil(lambda: not dock.busy)
    let_turns_pass(qtbot)
    assert patients.current == other
    assert {patient_of(layer) for layer in viewer.layers if layer.visible} == {other}

    patients.activate(first)

    assert not earlier_layer(viewer, first).visible
    assert [x.name for x in viewer.layers if x.visible and x._type_string == "image"] == [
        "BraTS2021_2 T1CE"
    ]


@pytest.mark.slow
def test_an_earlier_scan_of_the_same_name_is_named_with_its_folder(dock, tmp_path, qtbot):
    (tmp_path / "before").mkdir()
    earlier = write_scan(tmp_path / "before" / "BraTS2021_2", tumour())
    dock.compare_with(earlier)
    assert dock.message.text() == "Comparing BraTS2021_2 with BraTS2021_2 (before) ..."
    qtbot.waitUntil(lambda: not dock.busy)


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
    open_case(viewer, write_scan(tmp_path / "BraTS2021_3", tumour()))
    patients.activate(first)
    monkeypatch.setattr(questions, "ask", lambda *arguments, **_: "Close without saving")
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
    let_workers_end(qtbot)
    assert ended == ["aborted"] and raised == []
    if closed == "patient":
        assert not dock.busy and "cancelled" not in dock.message.text()
        open_case(viewer, tmp_path / "BraTS2021_2")
        assert "cancelled" not in dock.message.text()
        assert len(viewer.layers) == 10


def being_renamed(viewer, qtbot) -> QLineEdit:
    """The field in which the selected layer is being renamed in the layer list."""
    window = viewer.window._qt_window
    (names,) = (x for x in window.findChildren(QListView) if hasattr(x.model(), "sourceModel"))
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    names.edit(names.selectionModel().currentIndex())
    return next(x for x in names.findChildren(QLineEdit) if x.isVisible())
