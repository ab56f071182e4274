"""The menu of the layer list opens when the click has ended, so that layers may move meanwhile."""

from __future__ import annotations

from event_loop import let_turns_pass
from napari_cases import write_case_along
from qtpy.QtCore import QEvent, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QListView

from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


def right_click(view: QListView, row: int) -> None:
    place = view.visualRect(view.model().index(row, 0)).center()
    everywhere = view.viewport().mapToGlobal(place)
    right, none = Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
    for kind, pressed in (
        (QEvent.Type.MouseButtonPress, right),
        (QEvent.Type.MouseButtonRelease, none),
    ):
        key = Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(kind, QPointF(place), QPointF(everywhere), right, pressed, key)
        QApplication.sendEvent(view.viewport(), event)


def test_an_entry_of_the_menu_that_shows_another_patient_acts_when_the_click_has_ended(
    make_napari_viewer, tmp_path, qtbot
):
    viewer = make_napari_viewer(show=True)
    for name in ("First", "Second"):
        open_case(viewer, write_case_along(tmp_path / name, labels=False))
    let_turns_pass(qtbot)
    lists = viewer.window._qt_window.findChildren(QListView)
    view = next(x for x in lists if hasattr(x.itemDelegate(), "show_context_menu"))
    viewer.layers.selection = {viewer.layers["First T2"]}
    row = len(viewer.layers) - 1 - viewer.layers.index("First T2")
    orders: list[list[str]] = []

    def choose() -> None:
        menu = QApplication.activePopupWidget()
        if menu is None:
            QTimer.singleShot(20, choose)
            return
        orders.append([layer.name for layer in viewer.layers])
        next(x for x in menu.actions() if x.text() == "Toggle visibility").trigger()
        orders.append([layer.name for layer in viewer.layers])
        QTimer.singleShot(200, menu.close)

    right_click(view, row)
    assert QApplication.activePopupWidget() is None, "napari opens the menu within the click"
    QTimer.singleShot(20, choose)
    qtbot.waitUntil(lambda: active_patient(viewer).title == "First")
    qtbot.waitUntil(lambda: viewer.layers[-1].name.startswith("First"))
    assert orders[0] == orders[1]  # layers move when the menu is closed
