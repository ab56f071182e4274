"""A dock follows its viewer from when it is complete until it is taken out or deleted."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_smalltumor.widgets.docks.follows_viewer import FollowsViewer
from napari_smalltumor.widgets.flag import Flag


class Panel(QWidget):
    dropped = Signal(object)

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setWindowTitle(title)


class Dock(Panel, FollowsViewer):
    def __init__(self, seen: list[str]) -> None:
        super().__init__("dock")
        self._seen = seen
        self.dropped.connect(seen.append)
        self.follow_viewer()

    def connect_viewer(self) -> None:
        self._seen.append("connected")

    def disconnect_viewer(self) -> None:
        self._seen.append("disconnected")


@pytest.fixture
def window(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    return window


def test_a_dock_is_connected_once_and_again_when_it_is_put_back(window):
    seen: list[str] = []
    dock = Dock(seen)
    dock.setParent(window)
    assert seen == ["connected"] and dock.windowTitle() == "dock"
    dock.setParent(None)
    dock.setParent(None)
    assert seen == ["connected", "disconnected"]
    dock.setParent(window)
    assert seen == ["connected", "disconnected", "connected"]


def test_signals_of_the_panel_reach_the_dock(window):
    seen: list[str] = []
    dock = Dock(seen)
    dock.setParent(window)
    dock.dropped.emit("file")
    assert seen == ["connected", "file"]


def test_a_dock_that_is_deleted_with_its_window_is_disconnected(qtbot):
    seen: list[str] = []
    window, dock = QMainWindow(), Dock(seen)
    dock.setParent(window)
    with qtbot.waitSignal(dock.destroyed):
        window.deleteLater()
    assert seen == ["connected", "disconnected"]


def test_a_flag_holds_until_the_outermost_block_ends():
    flag = Flag()
    with pytest.raises(ZeroDivisionError), flag:
        with flag:
            assert flag
        assert flag
        1 / 0  # noqa: B018
    assert not flag
