"""Another patient's name comes with its frame; keys that are pressed before it are lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from deletion import delete
from event_loop import let_turns_pass
from lesion_layers import show_regions, synthetic_case
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QApplication, QMainWindow, QShortcut

from napari_smalltumor.main_window.planes_area import Layout
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.switching import next_frame
from napari_smalltumor.patients.switching.next_frame import NextFrame
from napari_smalltumor.planes.canvas import PlaneCanvas
from napari_smalltumor.widgets.docks.input_pause import InputPause


class Log(QObject):
    """What the window shows, in its order: titles, and the patients of painted planes."""

    def __init__(self, main_window) -> None:
        super().__init__(main_window)
        self.seen: list[str] = []
        QApplication.instance().installEventFilter(self)

    def eventFilter(self, watched, event) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.WindowTitleChange and watched is self.parent():
            self.seen.append(f"title {self.parent().windowTitle().split(' – ')[0]}")
        if event.type() == QEvent.Type.Paint and isinstance(watched, PlaneCanvas):
            self.seen.append(f"frame {watched.corners()[0]}")
        return False


def test_the_title_follows_the_picture_and_keys_before_it_are_lost(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    for name in ("First", "Second"):
        show_regions(viewer, replace(synthetic_case(), name=name))
    window, patients, pressed = planes_window(viewer), active_patient(viewer), []
    window.show(Layout.AXIAL)
    with qtbot.waitActive(window.main_window):
        window.main_window.show()
        window.main_window.activateWindow()
    plane = window.area.canvases[0]
    QShortcut(QKeySequence("F9"), window.main_window, lambda: pressed.append(patients.title))
    log = Log(window.main_window)

    def activate_first() -> None:
        patients.activate(patients.patients[0])
        qtbot.keyClick(plane, Qt.Key.Key_F9)
        assert viewer.title == "napari"  # nobody is named while Second is still to be seen

    QTimer.singleShot(0, activate_first)  # in the event loop, as in use
    qtbot.waitUntil(lambda: viewer.title == "First – napari")
    assert "frame First" in log.seen[: log.seen.index("title First")]
    qtbot.waitUntil(lambda: not window.main_window.findChildren(InputPause))
    qtbot.keyClick(plane, Qt.Key.Key_F9)
    assert pressed == ["First"]


@pytest.mark.parametrize("by_hand", [True, False])
def test_no_title_is_above_another_patient_s_picture_and_each_is_drawn_once(
    make_napari_viewer, qtbot, by_hand
):
    """Also if napari draws the window before its title can be changed, as after a click."""
    viewer = make_napari_viewer()
    for name in ("First", "Second"):
        show_regions(viewer, replace(synthetic_case(), name=name))
    window, patients = planes_window(viewer), active_patient(viewer)
    window.show(Layout.AXIAL)
    with qtbot.waitActive(window.main_window):
        window.main_window.show()
        window.main_window.activateWindow()
    log = Log(window.main_window)
    plane = window.area.canvases[0]
    plane.update()
    qtbot.waitUntil(lambda: "frame Second" in log.seen)
    let_turns_pass(qtbot)
    log.seen.clear()

    def show_first() -> None:
        if by_hand:
            viewer.layers["First ET"].visible = True
        else:
            patients.activate(patients.patients[0])

    QTimer.singleShot(0, show_first)
    qtbot.waitUntil(lambda: viewer.title == "First – napari")
    before = log.seen[: log.seen.index("frame First")]
    assert [seen for seen in before if seen.startswith("title")] == ["title napari"]
    assert log.seen[: log.seen.index("title First")].count("frame First") == 1


class Viewer:
    """Stands for the viewer of a window without napari."""


class Calls:
    """What waits for a frame; the first of them fails."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def fail(self) -> None:
        raise ValueError("the first call")

    def start(self, frame: NextFrame) -> None:
        frame.then(self.fail)
        frame.then(lambda: self.made.append("second"))
        frame.then(self.fail)
        frame.then(lambda: self.made.append("last"))


@pytest.mark.parametrize("window_fails", [False, True])
def test_after_an_error_the_other_calls_are_made_and_keys_are_back(
    qtbot, monkeypatch, window_fails
):
    window, viewer, calls = QMainWindow(), Viewer(), Calls()
    qtbot.addWidget(window)
    window.show()
    monkeypatch.setattr(next_frame, "qt_main_window", lambda viewer: window)
    frame = NextFrame(viewer)

    def no_window(viewer) -> None:
        raise RuntimeError("the window is deleted")

    def start() -> None:
        calls.start(frame)
        if window_fails:
            monkeypatch.setattr(next_frame, "qt_main_window", no_window)

    with qtbot.capture_exceptions() as errors:
        QTimer.singleShot(0, start)  # in the event loop, as in use
        qtbot.waitUntil(lambda: bool(errors))
        qtbot.waitUntil(lambda: not window.findChildren(InputPause))
    assert calls.made == ["second", "last"]
    expected = "the window is deleted" if window_fails else "the first call"
    assert [str(error) for _, error, _ in errors] == [expected]


def test_a_window_that_is_deleted_before_its_next_picture_is_no_error(qtbot, monkeypatch):
    window, viewer, made = QMainWindow(), Viewer(), []
    window.show()
    monkeypatch.setattr(next_frame, "qt_main_window", lambda viewer: window)
    frame = NextFrame(viewer)

    def start_and_delete() -> None:
        frame.then(lambda: made.append("call"))
        monkeypatch.setattr(next_frame, "qt_main_window", lambda viewer: None)
        delete(window)

    with qtbot.capture_exceptions() as errors:
        QTimer.singleShot(0, start_and_delete)
        qtbot.waitUntil(lambda: bool(made))
    assert errors == []
