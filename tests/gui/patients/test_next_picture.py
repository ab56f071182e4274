"""Another patient's name comes with its picture; keys that are pressed before it are lost."""

from __future__ import annotations

from dataclasses import replace

from lesion_layers import show_regions, synthetic_case
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QApplication, QShortcut

from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.canvas import PlaneCanvas
from napari_smalltumor.reading.reading_area import Layout
from napari_smalltumor.reading.window import planes_window
from napari_smalltumor.widgets.input_pause import InputPause


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
            self.seen.append(f"picture {watched.corners()[0]}")
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
        assert viewer.title == "Second – napari"

    QTimer.singleShot(0, activate_first)  # in the event loop, as in use
    qtbot.waitUntil(lambda: viewer.title == "First – napari")
    assert "picture First" in log.seen[: log.seen.index("title First")]
    qtbot.waitUntil(lambda: not window.main_window.findChildren(InputPause))
    qtbot.keyClick(plane, Qt.Key.Key_F9)
    assert pressed == ["First"]
