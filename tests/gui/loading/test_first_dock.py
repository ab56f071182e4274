"""The first case of a window without docks opens the Segment dock, once."""

from __future__ import annotations

import pytest
from napari_cases import write_case_along

from napari_smalltumor import devices
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.open_case import open_and_remember
from napari_smalltumor.patients.active_patient import active_patient

SEGMENT = "Segment (Small Tumour)"


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(devices, "find_devices", lambda *args: None)
    return make_napari_viewer(show=True)


def drop(viewer, path) -> None:
    viewer.window._qt_viewer._qt_open([str(path)], stack=False, plugin="napari-smalltumor")


def names_of_docks(viewer) -> list[str]:
    return list(viewer.window.dock_widgets)


def open_until_shown(viewer, in_loop, qtbot, path) -> None:
    in_loop(drop, viewer, path)
    qtbot.waitUntil(lambda: active_patient(viewer).title == path.name)
    qtbot.wait(100)


def test_a_dropped_case_opens_the_segment_dock_and_is_seen_whole(viewer, in_loop, tmp_path, qtbot):
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Anna"))
    assert names_of_docks(viewer) == [SEGMENT]
    dock = viewer.window.dock_widgets[SEGMENT]
    assert dock.isVisible() and dock.panel.header.picker.currentText() == "Anna"
    zoom = viewer.scene.camera.zoom
    viewer.reset_view()
    assert viewer.scene.camera.zoom == pytest.approx(zoom)


def test_a_case_from_the_menu_opens_it_too(viewer, in_loop, tmp_path, qtbot):
    in_loop(open_and_remember, viewer, write_case_along(tmp_path / "Anna"))
    qtbot.waitUntil(lambda: names_of_docks(viewer) == [SEGMENT])


def test_a_case_that_is_named_on_the_command_line_opens_it_with_the_window(
    make_napari_viewer, tmp_path, qtbot
):
    viewer = make_napari_viewer(show=False)
    drop(viewer, write_case_along(tmp_path / "Anna"))  # before the event loop runs
    qtbot.wait(100)
    assert names_of_docks(viewer) == []
    viewer.window.show()
    qtbot.waitUntil(lambda: names_of_docks(viewer) == [SEGMENT])


def test_a_dock_that_was_closed_stays_closed(viewer, in_loop, tmp_path, qtbot):
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Anna"))
    viewer.window.remove_dock_widget(viewer.window.dock_widgets[SEGMENT])
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Bert"))
    assert names_of_docks(viewer) == []


def test_no_dock_is_opened_beside_or_after_another_one(viewer, in_loop, tmp_path, qtbot):
    dock = viewer.window.add_dock_widget(LesionsDock(viewer), name="Lesions (Small Tumour)")
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Anna"))
    assert names_of_docks(viewer) == ["Lesions (Small Tumour)"]
    viewer.window.remove_dock_widget(dock)
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Bert"))
    assert names_of_docks(viewer) == []


def test_a_window_that_is_not_shown_gets_none(make_napari_viewer, in_loop, tmp_path, qtbot):
    viewer = make_napari_viewer(show=False)
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Anna"))
    assert names_of_docks(viewer) == []
