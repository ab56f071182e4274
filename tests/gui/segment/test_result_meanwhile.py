"""A result that arrives while the user has a menu open or renames a layer changes neither."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest
import smalltumor.inference
from event_loop import let_workers_end
from napari_cases import write_case_along
from qtpy.compat import isalive
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QFileDialog, QLineEdit, QListView, QMenu, QShortcut
from smalltumor.labels.regions import Region

from napari_smalltumor import notify, questions
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.segment import run as segment_run


@pytest.fixture
def menu(qtbot):
    """A menu that is not open yet."""
    menu = QMenu()
    menu.addAction("Duplicate Layer")
    yield menu
    menu.close()
    menu.deleteLater()


def segment_until_a_menu_opens(viewer, dock, menu, qtbot) -> None:
    """Segment; a menu opens when the first region has been added, and the others wait."""

    def open_menu() -> None:
        viewer.layers.events.inserted.disconnect(open_menu)
        menu.popup(QPoint(0, 0))

    viewer.layers.events.inserted.connect(open_menu)
    dock.panel.segment_clicked.emit()
    qtbot.waitUntil(menu.isVisible)


def test_no_layer_of_a_result_is_added_or_selected_under_a_menu(opened, menu, qtbot):
    viewer, dock = opened
    viewer.window._qt_window.show()
    image = viewer.layers[0]
    viewer.layers.selection.active = image

    segment_until_a_menu_opens(viewer, dock, menu, qtbot)
    there = list(viewer.layers)
    qtbot.wait(300)
    assert list(viewer.layers) == there
    with qtbot.waitSignal(dock.finished):
        menu.close()
    assert sum(region_of(x) is not None for x in viewer.layers) == 3


def test_ctrl_s_says_that_regions_are_being_added_and_writes_no_other_layer(
    opened, menu, qtbot, monkeypatch
):
    viewer, dock = opened
    viewer.window._qt_window.show()
    said: list[str] = []
    monkeypatch.setattr(notify, "error", said.append)
    dialogs: list[object] = []
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *a, **k: dialogs.append(a) or ("", "")
    )

    segment_until_a_menu_opens(viewer, dock, menu, qtbot)
    key = QKeySequence("Ctrl+S")
    shortcuts = viewer.window._qt_window.findChildren(QShortcut)
    (save,) = [shortcut for shortcut in shortcuts if shortcut.key() == key]
    save.activated.emit()
    assert said == ["ET, TC and WT of case are still being added; try again in a moment."]
    assert dialogs == []
    with qtbot.waitSignal(dock.finished):
        menu.close()


def test_what_was_added_of_a_result_that_cannot_be_drawn_can_be_saved(opened, qtbot, monkeypatch):
    viewer, dock = opened
    header = PatientHeader(viewer)
    monkeypatch.setattr(notify, "report_error", lambda error: None)

    def fail_at_tc(event) -> None:
        if region_of(event.value) is Region.TC:
            raise RuntimeError("no memory on the graphics card")

    viewer.layers.events.inserted.connect(fail_at_tc, position="last")
    with qtbot.waitSignal(dock.finished):
        dock.panel.segment_clicked.emit()
    assert {region_of(x) for x in viewer.layers} == {None, Region.ET, Region.TC}
    assert not header.save_button.isHidden()


def test_no_result_is_shown_under_the_brush(opened, qtbot, monkeypatch):
    viewer, dock = opened
    window = viewer.window._qt_window
    window.show()
    ended = threading.Event()
    segment = smalltumor.inference.segment

    def network(*arguments, **options):
        result = segment(*arguments, **options)
        ended.set()
        return result

    monkeypatch.setattr(smalltumor.inference, "segment", network)
    qtbot.mousePress(window.statusBar(), Qt.MouseButton.LeftButton)
    dock.panel.segment_clicked.emit()
    qtbot.waitUntil(ended.is_set)
    let_workers_end(qtbot)
    assert not any(region_of(x) for x in viewer.layers)
    with qtbot.waitSignal(dock.finished):
        qtbot.mouseRelease(window.statusBar(), Qt.MouseButton.LeftButton)
    assert sum(region_of(x) is not None for x in viewer.layers) == 3


def test_a_stroke_that_begins_when_the_result_is_shown_is_kept(opened, run, qtbot, monkeypatch):
    viewer, dock = opened
    assert run(dock)
    wt = next(x for x in viewer.layers if x.name.endswith(" WT"))
    outside = tuple(np.argwhere(wt.data == 0)[:1].T)
    answers = iter([False, True])

    def is_busy() -> bool:
        busy = next(answers, False)
        if busy:
            wt.data_setitem(outside, 1)
        return busy

    asked_by_run = SimpleNamespace(user_is_busy=is_busy, confirm=questions.confirm)
    monkeypatch.setattr(segment_run, "questions", asked_by_run)  # others ask, too
    with qtbot.waitSignal(dock.finished):
        dock.panel.segment_clicked.emit()
    assert next(answers, None) is None
    assert wt.data[outside] == 1


def test_a_layer_is_renamed_while_another_patient_s_result_arrives(opened, tmp_path, run, qtbot):
    """The next letters would be keys, some of which act on lesions."""
    viewer, dock = opened
    first = active_patient(viewer).current
    open_case(viewer, write_case_along(tmp_path / "Second", labels=False))
    second = active_patient(viewer).current
    active_patient(viewer).activate(first)
    dock.panel.segment_clicked.emit()
    active_patient(viewer).activate(second)
    name = being_renamed(viewer, qtbot)
    with qtbot.waitSignal(dock.finished):
        pass
    let_workers_end(qtbot)
    assert isalive(name) and name.isVisible()


def test_a_layer_is_renamed_while_its_patient_s_result_and_rings_arrive(opened, qtbot):
    viewer, dock = opened
    lesions = LesionsDock(viewer)
    viewer.window.add_dock_widget(lesions, area="right")
    dock.panel.segment_clicked.emit()
    name = being_renamed(viewer, qtbot)
    with qtbot.waitSignal(dock.finished):
        pass
    qtbot.waitUntil(lambda: not lesions.finder.busy and bool(lesions.review.lesions))
    assert isalive(name) and name.isVisible()


def being_renamed(viewer, qtbot) -> QLineEdit:
    """The field in which the selected layer is being renamed in the layer list."""
    window = viewer.window._qt_window
    (names,) = (x for x in window.findChildren(QListView) if hasattr(x.model(), "sourceModel"))
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    names.edit(names.selectionModel().currentIndex())
    return next(x for x in names.findChildren(QLineEdit) if x.isVisible())


def test_a_run_whose_result_cannot_be_drawn_ends(opened, messages, qtbot):
    viewer, dock = opened

    def fail(event) -> None:
        raise ValueError("no such colour")

    viewer.layers.events.inserted.connect(fail)
    with qtbot.waitSignal(dock.finished):
        dock.panel.segment_clicked.emit()
    assert any("no such colour" in text for text in messages)
    viewer.layers.events.inserted.disconnect(fail)
    with qtbot.waitSignal(dock.finished):
        dock.panel.segment_clicked.emit()  # no run is left
    assert sum(region_of(x) is not None for x in viewer.layers) == 3
