"""Keys of a dock that work in the whole window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Any, Protocol, TypeVar
from weakref import WeakSet, ref

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_smalltumor.widgets.docks.dock_tabs import bring_to_front


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
        super().__init__(window)
        self._window, self._dock = ref(window), dock
        self._number = next(_NUMBERS)
        self.shortcuts: dict[Any, QShortcut] = {
            key: self._bind(window, key, act) for key, act in actions.items()
        }
        _BOUND.add(self)
        self._enable_newest()

    def unbind(self) -> None:
        """Remove the shortcuts; may be called twice, and after the window was deleted."""
        shortcuts, self.shortcuts = self.shortcuts, {}
        for shortcut in shortcuts.values():
            if isalive(shortcut):
                shortcut.setEnabled(False)
                shortcut.deleteLater()
        if shortcuts:
            _BOUND.discard(self)
            self._enable_newest()

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

    def _enable_newest(self) -> None:
        """Enable the shortcuts of the window, except those with keys of newer ones."""
        taken: set[Any] = set()
        own = [keys for keys in _BOUND if keys._window() is self._window()]
        for keys in sorted(own, key=lambda keys: keys._number, reverse=True):
            is_newest = not keys.shortcuts.keys() & taken
            for shortcut in filter(isalive, keys.shortcuts.values()):
                shortcut.setEnabled(is_newest)
            taken |= keys.shortcuts.keys() if is_newest else set()


_NUMBERS = count()
_BOUND: WeakSet[DockKeys] = WeakSet()
"""Those of all windows that have shortcuts; Qt's children crash while a window is deleted."""
