"""Keys of a dock that work in the whole window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_smalltumor.widgets.dock_tabs import bring_to_front


class _Key(Protocol):
    @property
    def sequence(self) -> str:
        """As in Qt (``Shift+N``)."""

    @property
    def repeats(self) -> bool:
        """Whether it acts again and again while it is held."""


_AnyKey = TypeVar("_AnyKey", bound=_Key)


class DockKeys(QObject):
    """Shortcuts of a window that work wherever its focus is, and bring their dock to the front.

    So nothing happens unseen while the dock is behind another tab. A field in which text is typed
    takes its keys first. If a window has two docks with the same keys, they are those of the newer
    one until it is closed.

    Parameters
    ----------
    window : QWidget
        The main window.
    dock : QWidget or None
        The widget in the dock; None for keys that open one.
    actions : mapping of keys to callable
    """

    def __init__(
        self, window: QWidget, dock: QWidget | None, actions: Mapping[_AnyKey, Callable[[], object]]
    ) -> None:
        others = [keys for keys in window.findChildren(DockKeys) if keys.shortcuts]
        self._older = [keys for keys in others if keys.shortcuts.keys() & actions.keys()]
        super().__init__(window)
        self._dock = dock
        self._enable_older(False)
        self.shortcuts: dict[Any, QShortcut] = {
            key: self._bind(window, key, act) for key, act in actions.items()
        }

    def unbind(self) -> None:
        """Remove the shortcuts; may be called twice, and after the window was deleted."""
        shortcuts, self.shortcuts = self.shortcuts, {}
        for shortcut in shortcuts.values():
            if isalive(shortcut):
                shortcut.setEnabled(False)
                shortcut.deleteLater()
        if shortcuts:
            self._enable_older(True)

    def _bind(self, window: QWidget, key: _Key, action: Callable[[], object]) -> QShortcut:
        shortcut = QShortcut(QKeySequence(key.sequence), window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.setAutoRepeat(key.repeats)
        shortcut.activated.connect(partial(self._act, action))
        return shortcut

    def _act(self, action: Callable[[], object]) -> None:
        if self._dock is not None:
            if not isalive(self._dock) or not self.shortcuts:
                return
            bring_to_front(self._dock)
        action()

    def _enable_older(self, enabled: bool) -> None:
        for keys in self._older:
            for shortcut in keys.shortcuts.values():
                if isalive(shortcut):
                    shortcut.setEnabled(enabled)
