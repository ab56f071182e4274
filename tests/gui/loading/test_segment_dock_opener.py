"""The first case that the user opens in a window without docks opens the Segment dock, once."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from event_loop import let_turns_pass
from napari_cases import write_case_along

from napari_smalltumor import devices
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.folders import scans
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.main_window.segment_dock_opener import SegmentDockOpener
from napari_smalltumor.patients.active_patient import active_patient

SEGMENT = "Segment (Small Tumour)"


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(devices, "find_devices", lambda *args: None)
    return make_napari_viewer(show=True)


@pytest.fixture
def fitted(monkeypatch) -> list[bool]:
    """Is no longer empty when the view was fitted to what is beside the dock."""
    fitted: list[bool] = []
    fit = SegmentDockOpener._fit
    monkeypatch.setattr(SegmentDockOpener, "_fit", lambda dock: fitted.append(bool(fit(dock))))
    return fitted


def drop(viewer, path) -> None:
    viewer.window._qt_viewer._qt_open([str(path)], stack=False, plugin="napari-smalltumor")


def names_of_docks(viewer) -> list[str]:
    return list(viewer.window.dock_widgets)


def open_until_shown(viewer, in_loop, qtbot, path) -> None:
    in_loop(drop, viewer, path)
    qtbot.waitUntil(lambda: active_patient(viewer).title == path.name)


def assert_no_dock_opens(viewer, qtbot, docks=()) -> None:
    let_turns_pass(qtbot)
    assert names_of_docks(viewer) == list(docks)


def test_a_dropped_case_opens_the_segment_dock_and_is_seen_whole(
    viewer, in_loop, fitted, tmp_path, qtbot
):
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Anna"))
    qtbot.waitUntil(lambda: bool(fitted))
    assert names_of_docks(viewer) == [SEGMENT]
    dock = viewer.window.dock_widgets[SEGMENT]
    assert dock.isVisible() and dock.panel.header.picker.currentText() == "Anna"
    zoom = viewer.scene.camera.zoom
    viewer.reset_view()
    assert viewer.scene.camera.zoom == pytest.approx(zoom)


def test_the_view_of_other_layers_is_not_moved(viewer, in_loop, fitted, tmp_path, qtbot):
    viewer.add_image(np.zeros((30, 200, 200), np.uint8), name="other")
    viewer.scene.camera.zoom, viewer.scene.camera.center = 7.0, (0.0, 50.0, 60.0)
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Anna"))
    qtbot.waitUntil(lambda: bool(fitted))
    camera = viewer.scene.camera
    assert camera.zoom == 7.0 and tuple(camera.center) == (0.0, 50.0, 60.0)


def test_the_first_case_after_those_of_a_script_opens_it(viewer, in_loop, tmp_path, qtbot):
    open_case(viewer, write_case_along(tmp_path / "Anna"))
    assert names_of_docks(viewer) == []
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Bert"))
    qtbot.waitUntil(lambda: names_of_docks(viewer) == [SEGMENT])


def test_a_case_from_the_menu_opens_it_too(viewer, in_loop, tmp_path, qtbot):
    in_loop(open_and_remember, viewer, write_case_along(tmp_path / "Anna"))
    qtbot.waitUntil(lambda: names_of_docks(viewer) == [SEGMENT])


def test_a_case_that_is_named_on_the_command_line_opens_it_with_the_window(
    make_napari_viewer, tmp_path, qtbot
):
    viewer = make_napari_viewer(show=False)
    drop(viewer, write_case_along(tmp_path / "Anna"))  # before the event loop runs
    assert_no_dock_opens(viewer, qtbot)
    viewer.window.show()
    qtbot.waitUntil(lambda: names_of_docks(viewer) == [SEGMENT])


def test_a_dock_that_was_closed_stays_closed(viewer, in_loop, tmp_path, qtbot):
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Anna"))
    qtbot.waitUntil(lambda: names_of_docks(viewer) == [SEGMENT])
    viewer.window.remove_dock_widget(viewer.window.dock_widgets[SEGMENT])
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Bert"))
    assert_no_dock_opens(viewer, qtbot)


def test_no_dock_is_opened_beside_or_after_another_one(viewer, in_loop, tmp_path, qtbot):
    dock = viewer.window.add_dock_widget(LesionsDock(viewer), name="Lesions (Small Tumour)")
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Anna"))
    assert_no_dock_opens(viewer, qtbot, ["Lesions (Small Tumour)"])
    viewer.window.remove_dock_widget(dock)
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Bert"))
    assert_no_dock_opens(viewer, qtbot)


def test_a_window_that_is_not_shown_gets_none(make_napari_viewer, in_loop, tmp_path, qtbot):
    viewer = make_napari_viewer(show=False)
    open_until_shown(viewer, in_loop, qtbot, write_case_along(tmp_path / "Anna"))
    assert_no_dock_opens(viewer, qtbot)


def test_a_scan_that_was_prepared_opens_it_behind_the_dock_of_the_preparation(
    viewer, in_loop, tmp_path, qtbot
):
    folder, prepared = write_case_along(tmp_path / "Anna"), f"{scans.PREPARED_DOCK} (Small Tumour)"
    in_loop(open_and_remember, viewer, folder, partial(scans._show_dock, viewer))
    qtbot.waitUntil(lambda: names_of_docks(viewer) == [SEGMENT, prepared])
    let_turns_pass(qtbot)
    docks = viewer.window.dock_widgets
    assert not docks[prepared].visibleRegion().isEmpty()
    assert docks[SEGMENT].visibleRegion().isEmpty()
