"""Keys of docks in a window: wherever its focus is, and whichever dock is in front."""

from __future__ import annotations

import pytest
from napari._app_model import get_app_model
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QDockWidget, QLineEdit, QMainWindow, QVBoxLayout, QWidget

from napari_smalltumor.keys import DELETE, DELETE_SPECKS, NEXT, SEGMENT
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.segment.dock import SegmentDock
from napari_smalltumor.widgets.docks.dock_keys import DockKeys


@pytest.fixture
def window(qtbot) -> QMainWindow:
    """A window with a list and a text field, which take letters."""
    window = QMainWindow()
    qtbot.addWidget(window)
    central = QWidget()
    window.setCentralWidget(central)
    layout = QVBoxLayout(central)
    window.choice, window.text = QComboBox(), QLineEdit()
    window.choice.addItems(["axial", "none", "now"])
    layout.addWidget(window.choice)
    layout.addWidget(window.text)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    return window


@pytest.fixture
def pressed() -> list[str]:
    """What was called, in order."""
    return []


def bind(window, pressed, name: str = "") -> DockKeys:
    return DockKeys(
        window,
        window.centralWidget(),
        {
            NEXT: lambda: pressed.append(f"{name}next"),
            DELETE_SPECKS: lambda: pressed.append(f"{name}dismiss"),
        },
    )


def test_keys_work_where_a_list_would_search_for_letters(window, qtbot, pressed):
    bind(window, pressed)
    window.choice.setFocus()
    qtbot.keyClick(window.choice, Qt.Key.Key_N)
    qtbot.keyClick(window.choice, Qt.Key.Key_J, Qt.KeyboardModifier.ShiftModifier)
    assert pressed == ["next", "dismiss"]
    assert window.choice.currentText() == "axial"


def test_a_text_field_takes_its_letters_first(window, qtbot, pressed):
    bind(window, pressed)
    window.text.setFocus()
    qtbot.keyClick(window.text, Qt.Key.Key_N)
    assert pressed == [] and window.text.text() == "n"


def test_unbound_keys_do_nothing(window, qtbot, pressed):
    keys = bind(window, pressed)
    keys.unbind()
    keys.unbind()
    window.choice.setFocus()
    qtbot.keyClick(window.choice, Qt.Key.Key_N)
    assert pressed == []


@pytest.mark.parametrize("closed_first", [0, 1])
def test_of_two_reviews_the_newer_has_the_keys_until_it_is_closed(
    window, qtbot, pressed, closed_first
):
    both = [bind(window, pressed, "old "), bind(window, pressed, "new ")]
    window.choice.setFocus()
    qtbot.keyClick(window.choice, Qt.Key.Key_N)
    both[closed_first].unbind()
    qtbot.keyClick(window.choice, Qt.Key.Key_N)
    both[1 - closed_first].unbind()
    qtbot.keyClick(window.choice, Qt.Key.Key_N)
    assert pressed == ["new next", ("new next", "old next")[closed_first]]


@pytest.mark.parametrize("closed_first", [0, 1])
def test_a_key_that_opens_a_dock_has_no_effect_while_any_dock_has_it(
    window, qtbot, pressed, closed_first
):
    bind(window, pressed, "opening ")
    both = [bind(window, pressed, "old "), bind(window, pressed, "new ")]
    window.choice.setFocus()
    both[closed_first].unbind()
    qtbot.keyClick(window.choice, Qt.Key.Key_N)
    both[1 - closed_first].unbind()
    qtbot.keyClick(window.choice, Qt.Key.Key_N)
    assert pressed == [("new next", "old next")[closed_first], "opening next"]


def test_a_key_brings_its_dock_to_the_front_and_leaves_those_of_other_docks(window, qtbot, pressed):
    docks = [QDockWidget(name, window) for name in ("Segment", "Lesions")]
    for dock in docks:
        dock.setWidget(QWidget())
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.tabifyDockWidget(*docks)
    DockKeys(window, docks[0].widget(), {SEGMENT: lambda: pressed.append("segment")})
    DockKeys(window, docks[1].widget(), {NEXT: lambda: pressed.append("next")})
    window.text.setFocus()
    in_front = lambda: [not dock.visibleRegion().isEmpty() for dock in docks]  # noqa: E731
    for key, modifier, shown in (
        (Qt.Key.Key_N, Qt.KeyboardModifier.NoModifier, [False, True]),
        (Qt.Key.Key_G, Qt.KeyboardModifier.AltModifier, [True, False]),
        (Qt.Key.Key_N, Qt.KeyboardModifier.NoModifier, [False, True]),
    ):
        qtbot.keyClick(window.choice, key, modifier)
        qtbot.waitUntil(lambda shown=shown: in_front() == shown)
    assert pressed == ["next", "segment", "next"]


def test_the_key_of_segment_opens_its_dock_acts_and_is_then_the_docks_own(
    make_napari_viewer, qtbot, monkeypatch
):
    acted: list[SegmentDock] = []
    monkeypatch.setattr(SegmentDock, "press_segment", lambda dock: acted.append(dock))
    viewer = make_napari_viewer()
    window = planes_window(viewer).main_window

    def segment_keys() -> list[DockKeys]:
        return [keys for keys in window.findChildren(DockKeys) if SEGMENT in keys.shortcuts]

    (opening,) = segment_keys()
    opening.shortcuts[SEGMENT].activated.emit()
    (dock,) = acted
    assert dock in viewer.window.dock_widgets.values()
    assert not opening.shortcuts[SEGMENT].isEnabled()
    (own,) = [keys for keys in segment_keys() if keys is not opening]
    assert own.shortcuts[SEGMENT].isEnabled()
    own.unbind()
    assert opening.shortcuts[SEGMENT].isEnabled()


@pytest.mark.one_binding
def test_a_dock_that_was_opened_by_its_key_is_the_one_of_the_menu(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    window = planes_window(viewer).main_window
    (opening,) = [k for k in window.findChildren(DockKeys) if NEXT in k.shortcuts]
    opening.shortcuts[DELETE].activated.emit()
    (dock,) = viewer.window.dock_widgets.values()
    assert isinstance(dock, LesionsDock)
    assert dock.message.startswith("W did nothing, because this dock was closed")
    get_app_model().commands.execute_command("napari-smalltumor.lesions")
    opening.shortcuts[NEXT].activated.emit()
    assert list(viewer.window.dock_widgets.values()) == [dock]
