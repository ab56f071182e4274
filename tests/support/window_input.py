"""Steps of a user in a window as real keys, clicks, menus and drags.

Each returns what it did. Keys and clicks of a step come in one turn of the event loop, as those of
a quick hand on a busy computer do.
"""

from __future__ import annotations

from random import Random
from typing import Any

from qtpy.QtCore import QEvent, QModelIndex, QPointF, QRect, Qt
from qtpy.QtGui import QKeySequence, QMouseEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QListView,
    QStyle,
    QStyleOptionViewItem,
    QTabBar,
    QTableView,
    QWidget,
)
from window_checks import WindowChecks

from napari_smalltumor import keys
from napari_smalltumor.main_window.planes_window import planes_window

_NONE = Qt.KeyboardModifier.NoModifier
_NAMES = {
    _NONE: "no modifier",
    Qt.KeyboardModifier.ShiftModifier: "Shift",
    Qt.KeyboardModifier.ControlModifier: "Ctrl",
    Qt.KeyboardModifier.AltModifier: "Alt",
}


def combination_of(sequence: str) -> tuple[int | Qt.Key, Any]:
    """The key and the modifiers of a sequence of one key."""
    first = QKeySequence(sequence)[0]
    if isinstance(first, int):  # Qt 5
        mask = int(Qt.KeyboardModifierMask)
        return first & ~mask, Qt.KeyboardModifiers(first & mask)
    return first.key(), first.keyboardModifiers()


EDITING = (
    *(key.sequence for key in (keys.ACCEPT, keys.DELETE, keys.UNDO, keys.DELETE_SPECKS)),
    *("Ctrl+Z", "Ctrl+Shift+Z", "Delete", "Ctrl+Delete", "Space", "Ctrl+A"),
)
"""Keys that may change data, or do with a button that has the focus."""
VIEWING = (
    *(
        key.sequence
        for key in (*vars(keys).values(), *keys.SEQUENCES.values())
        if isinstance(key, keys.Key) and combination_of(key.sequence)[0] != Qt.Key.Key_unknown
        if key.sequence not in EDITING
    ),
    *("V", "Shift+V", "Left", "Right", "Up", "Down", "PgDown", "Alt+Up", "Ctrl+Up", "Ctrl+Down"),
    *("Shift+Alt+Up", "Shift+Alt+Down", "Ctrl+Y", "Ctrl+G", "Ctrl+E", "Ctrl+T", "Ctrl+R"),
    *("1", "2", "3", "4", "5", "6", "7", "P", "E", "F", "L", "Z", "M", "X", "B", "[", "Escape"),
)
"""Keys of the plugin and of napari that change no data."""


class InputSteps:
    """Steps of a window's user with keyboard and mouse.

    Parameters
    ----------
    checks : WindowChecks
        Of the window.
    chance : Random
    """

    def __init__(self, checks: WindowChecks, chance: Random) -> None:
        self.checks, self.chance, self.qtbot = checks, chance, checks.qtbot
        self.viewer = checks.viewer
        self.docks = checks.docks
        self.window = checks.window
        lists = self.window.findChildren(QListView)
        self.layer_list = next(x for x in lists if hasattr(x.itemDelegate(), "show_context_menu"))

    def activate(self) -> None:
        """Make the window active, as a window manager does when a dialog was closed."""
        if not _something_is_open() and not self.window.isActiveWindow():
            self.window.activateWindow()
            self.qtbot.waitUntil(lambda: _something_is_open() or self.window.isActiveWindow())

    def press_viewing_keys(self) -> str:
        """Press some keys that change no data."""
        return self._press_some(VIEWING)

    def press_keys(self) -> str:
        """Press some of all keys, and mnemonics of docks."""
        return self._press_some((*VIEWING, *EDITING * 4, *self._mnemonics()))

    def press_editing_keys(self) -> str:
        """Press some keys that change data."""
        return self._press_some(EDITING)

    def _press_some(self, sequences: tuple[str, ...]) -> str:
        place = self._focus()
        pressed = self.chance.choices(sequences, k=self.chance.choice([1, 1, 2, 3]))
        if self.chance.random() < 0.3:
            pressed = pressed[:1] * 2
        for sequence in pressed:
            press(self.qtbot, self.window, sequence)
        return f"press {' '.join(pressed)} in {place}"

    def _focus(self) -> str:
        """Give the focus to a part of the window; its name."""
        window = planes_window(self.viewer)
        table = self.checks.lesions.findChild(QTableView)
        name = self.chance.choice(["canvas", "canvas", "layer list", "table"])
        if name == "canvas":
            window.focus_images()
        else:
            (self.layer_list if name == "layer list" else table).setFocus()
        return name

    def _mnemonics(self) -> tuple[str, ...]:
        widgets = [
            w for k in (QAbstractButton, QLabel) for d in self.docks for w in d.findChildren(k)
        ]
        texts = [w.text() for w in widgets if w.isVisible()]
        for bar in (x for dock in self.docks for x in dock.findChildren(QTabBar)):
            texts += [bar.tabText(n) for n in range(bar.count())]
        return tuple(x for t in texts if (x := QKeySequence.mnemonic(t).toString()))

    def open_menu(self) -> str:
        """Open the menu of the layer list; whoever answers dialogs answers it."""
        row = self._some_row()
        if row is None:
            return "open no menu"
        if self.chance.random() < 0.5:
            self._click(row, Qt.MouseButton.LeftButton, self._modifier())
        self._click(row, Qt.MouseButton.RightButton)
        return f"open the menu at {self._layer(row)}"

    def click_eye(self) -> str:
        """Click on the eye of a layer, or on two eyes, with a modifier or without."""
        clicked = []
        for _ in range(self.chance.choice([1, 1, 2])):
            row = self._some_row()
            if row is not None:
                modifier = self._modifier(Qt.KeyboardModifier.AltModifier)
                clicked.append(f"{self._layer(row)} ({_NAMES[modifier]})")
                self._click(row, Qt.MouseButton.LeftButton, modifier, on_eye=True)
        return f"click the eyes of {clicked}"

    def click_layer(self) -> str:
        """Click on the name of a layer, with a modifier or without."""
        row = self._some_row()
        if row is None:
            return "click no layer"
        name, modifier = self._layer(row), self._modifier()
        self._click(row, Qt.MouseButton.LeftButton, modifier)
        return f"click {name} ({_NAMES[modifier]})"

    def drag_layers(self) -> str:
        """Drop what is selected in the layer list elsewhere in the list."""
        model, chosen = self.layer_list.model(), self.layer_list.selectedIndexes()
        if not chosen:
            return "drag nothing"
        row = self.chance.randrange(model.rowCount() + 1)
        names = [self._layer(index.row()) for index in chosen]
        move = Qt.DropAction.MoveAction
        model.dropMimeData(model.mimeData(chosen), move, row, 0, QModelIndex())
        return f"drag {names} to {row}"

    def click_button(self) -> str:
        """Click on buttons of the docks."""
        clicked = []
        for _ in range(self.chance.choice([1, 1, 2])):
            buttons = [b for d in self.docks for b in d.findChildren(QAbstractButton)]
            buttons = [b for b in buttons if b.isVisible() and b.isEnabled() and b.text()]
            buttons = [b for b in buttons if not b.isCheckable() and b.text() != "Sample"]
            if buttons and not _something_is_open():
                button = self.chance.choice(buttons)
                clicked.append(button.text())
                self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        return f"click {clicked}"

    def _some_row(self) -> int | None:
        rows = self.layer_list.model().rowCount()
        if not rows or _something_is_open():
            return None
        return self.chance.randrange(rows)

    def _layer(self, row: int) -> str:
        return self.layer_list.model().index(row, 0).data()

    def _modifier(self, *others: Qt.KeyboardModifier) -> Qt.KeyboardModifier:
        modifiers = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
        return self.chance.choice([_NONE, _NONE, *modifiers, *others * 2])

    def _click(
        self,
        row: int,
        button: Qt.MouseButton,
        modifier: Qt.KeyboardModifier = _NONE,
        *,
        on_eye: bool = False,
    ) -> None:
        view = self.layer_list
        index = view.model().index(row, 0)
        view.scrollTo(index)
        place = (self._eye(index) if on_eye else view.visualRect(index)).center()
        click(view.viewport(), place, button, modifier)

    def _eye(self, index: QModelIndex) -> QRect:
        view = self.layer_list
        if hasattr(view, "viewOptions"):  # Qt 5
            option = view.viewOptions()
        else:
            option = QStyleOptionViewItem()
            view.initViewItemOption(option)
        option.rect = view.visualRect(index)
        view.itemDelegate().initStyleOption(option, index)
        element = QStyle.SubElement.SE_ItemViewItemCheckIndicator
        return view.style().subElementRect(element, option, view)


def press(qtbot: object, window: QWidget, sequence: str) -> None:
    """Press a key where it would go: in the menu or dialog that is open, or in the window."""
    key, modifiers = combination_of(sequence)
    open_one = QApplication.activePopupWidget() or QApplication.activeModalWidget()
    focused = open_one.focusWidget() or open_one if open_one else window.focusWidget() or window
    qtbot.keyClick(focused, key, modifiers)


def click(
    widget: QWidget, place: object, button: Qt.MouseButton, modifier: Qt.KeyboardModifier
) -> None:
    """Press and release a button of the mouse, without a turn of the event loop between."""
    everywhere = QPointF(widget.mapToGlobal(place))
    for kind, pressed in (
        (QEvent.Type.MouseButtonPress, button),
        (QEvent.Type.MouseButtonRelease, Qt.MouseButton.NoButton),
    ):
        event = QMouseEvent(kind, QPointF(place), everywhere, button, pressed, modifier)
        QApplication.sendEvent(widget, event)


def _something_is_open() -> bool:
    return bool(QApplication.activePopupWidget() or QApplication.activeModalWidget())
