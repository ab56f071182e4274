"""Keys for the review, in the whole window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_smalltumor.keys import Key


class ReviewKeys(QObject):
    """Shortcuts of a window that work wherever its focus is, also while the dock is behind a tab.

    A field in which text is typed takes its keys first. If a window has two reviews, the keys are
    those of the newer one until it is closed.

    Parameters
    ----------
    window : QWidget
        The main window.
    actions : mapping of Key to callable
    """

    def __init__(self, window: QWidget, actions: Mapping[Key, Callable[[], None]]) -> None:
        self._older = [keys for keys in window.findChildren(ReviewKeys) if keys.shortcuts]
        super().__init__(window)
        self._enable_older(False)
        self.shortcuts = {key: _shortcut(window, key, act) for key, act in actions.items()}

    def unbind(self) -> None:
        """Remove the shortcuts; may be called twice, and after the window was deleted."""
        shortcuts, self.shortcuts = self.shortcuts, {}
        for shortcut in shortcuts.values():
            if isalive(shortcut):
                shortcut.setEnabled(False)
                shortcut.deleteLater()
        if shortcuts:
            self._enable_older(True)

    def _enable_older(self, enabled: bool) -> None:
        for keys in self._older:
            for shortcut in keys.shortcuts.values():
                if isalive(shortcut):
                    shortcut.setEnabled(enabled)


def _shortcut(window: QWidget, key: Key, action: Callable[[], None]) -> QShortcut:
    shortcut = QShortcut(QKeySequence(key.sequence), window)
    shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
    shortcut.activated.connect(action)
    return shortcut
