"""Keys and clicks are lost in a window and its docks, whether they float or not, until the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QDialog,
    QDockWidget,
    QLineEdit,
    QMainWindow,
    QPushButton,
    QShortcut,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_smalltumor.widgets.docks.input_pause import InputPause, dropped


class Window(QMainWindow):
    """A window with a key, and a dock with a button and a text field."""

    def __init__(self) -> None:
        super().__init__()
        self.pressed: list[str] = []
        self.button, self.field = QPushButton("Next"), QLineEdit()
        self.button.clicked.connect(lambda: self.pressed.append("button"))
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addWidget(self.button)
        layout.addWidget(self.field)
        self.dock = QDockWidget("Lesions", self)
        self.dock.setWidget(content)
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self.dock)
        QShortcut(QKeySequence("W"), self, lambda: self.pressed.append("key"))


@pytest.fixture(params=["docked", "floating"])
def window(request, qtbot) -> Window:
    window = Window()
    qtbot.addWidget(window)
    window.dock.setFloating(request.param == "floating")
    with qtbot.waitExposed(window):
        window.show()
    top = window.dock.window()
    with qtbot.waitActive(top):
        top.activateWindow()
    window.button.setFocus()
    return window


def press(qtbot, window: Window) -> list[str]:
    """Press the key and the button; what the window has noticed."""
    window.pressed.clear()
    qtbot.keyClick(window.button, Qt.Key.Key_W)
    qtbot.mouseClick(window.button, Qt.MouseButton.LeftButton)
    return list(window.pressed)


def test_keys_and_clicks_in_a_dock_are_lost_until_the_end(window, qtbot):
    assert press(qtbot, window) == ["key", "button"]
    pause = InputPause(window)
    assert press(qtbot, window) == []
    pause.end()
    qtbot.waitUntil(lambda: not window.findChildren(InputPause))
    assert press(qtbot, window) == ["key", "button"]


def test_a_text_field_and_a_dialog_take_their_keys(window, qtbot):
    dialog = QDialog(window)
    answer = QPushButton("Yes", dialog)
    answer.clicked.connect(lambda: window.pressed.append("answer"))
    dialog.show()
    InputPause(window)
    qtbot.keyClick(window.field, Qt.Key.Key_W)
    qtbot.mouseClick(answer, Qt.MouseButton.LeftButton)
    assert window.field.text().lower() == "w" and window.pressed == ["answer"]


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What is told of dropped keys and clicks."""
    told: list[str] = []
    dropped.connect(told.append)
    yield told
    dropped.disconnect(told.append)


@pytest.mark.parametrize(
    ("key", "click", "last"),
    [
        (None, True, ["click"]),
        (Qt.Key.Key_W, False, ["key"]),
        (Qt.Key.Key_Shift, False, []),
        (None, False, []),
    ],
)
def test_what_was_dropped_is_told_once_at_the_end(window, qtbot, told, key, click, last):
    pause = InputPause(window)
    for _ in range(2):
        if key is not None:
            qtbot.keyClick(window.button, key)
        if click:
            qtbot.mouseClick(window.button, Qt.MouseButton.LeftButton)
    assert told == []
    pause.end()
    qtbot.waitUntil(lambda: not window.findChildren(InputPause))
    assert told == last


def test_the_key_that_starts_a_pause_is_not_told_as_dropped(window, qtbot, told):
    """A table opens a row by Return, which Qt then offers to the widgets around the table."""
    table = QTableWidget(1, 1)
    table.setItem(0, 0, QTableWidgetItem("Anna"))
    window.setCentralWidget(table)
    table.setCurrentCell(0, 0)
    table.setFocus()
    pauses: list[InputPause] = []
    table.activated.connect(lambda index: pauses.append(InputPause(window)))
    qtbot.keyClick(table, Qt.Key.Key_Return)
    (pause,) = pauses
    pause.end()
    qtbot.waitUntil(lambda: not window.findChildren(InputPause))
    assert told == []
