"""Keys of the window: sequences, the overlay and the sheet of keys.

They are Qt shortcuts of napari's window, so that they work on its canvas, in the planes and in the
docks, whichever layer is selected. A field in which text is typed takes its keys first.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import QApplication, QMainWindow, QShortcut

from napari_smalltumor import keys
from napari_smalltumor.display.key_sheet import KeySheet
from napari_smalltumor.display.overlay import Overlay
from napari_smalltumor.display.reference_visibility import toggle_reference
from napari_smalltumor.display.shown_sequence import (
    ToolMonitor,
    show_sequence,
    uses_number_keys,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class DisplayShortcuts(QObject):
    """The shortcuts of a window.

    Parameters
    ----------
    viewer : ViewerModel
    window : QMainWindow
    """

    overlay_changed = Signal(bool)
    tool_chosen = Signal()
    """A brush or another tool of a layer was chosen."""

    def __init__(self, viewer: ViewerModel, window: QMainWindow) -> None:
        super().__init__(window)
        self._sheet: KeySheet | None = None
        self.overlay = Overlay(viewer)
        self._peeking = False
        self._viewer = ref(viewer)
        self._sequences = [
            self._bind(key, partial(self._show_sequence, modality))
            for modality, key in keys.SEQUENCES.items()
        ]
        self._peek = self._bind(keys.PEEK, self.start_to_peek)
        self._peek.setAutoRepeat(False)
        self._bind(keys.REFERENCE, self._toggle_reference)
        self._bind(keys.SHEET, self.toggle_sheet)
        self._tools = ToolMonitor(viewer, self._on_tool)

    def set_overlay(self, shown: bool) -> None:
        """Show the overlay, or hide it until it is shown again or a tool is chosen.

        A mask that cannot be seen must not be painted. Painting therefore ends when the overlay is
        hidden, and the overlay is shown when a tool is chosen.
        """
        if shown:
            self.overlay.show()
        elif not self.overlay.hidden:
            self._tools.drop_tool()
            self.overlay.hide()
        self.overlay_changed.emit(shown)

    def drop_tool(self) -> None:
        """Let the mouse move the view again instead of painting."""
        self._tools.drop_tool()

    def toggle_sheet(self) -> None:
        """Show or close the sheet of keys."""
        if self._sheet is None:
            self._sheet = KeySheet(self.parent())
        self._sheet.setVisible(not self._sheet.isVisible())

    def start_to_peek(self) -> None:
        """Hide the overlay until the key is released or another window is active."""
        self._peeking = True
        self.overlay.hide()
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """End the peek when its key is released."""
        released = event.type() == QEvent.Type.KeyRelease and _is_peek_key(event)
        if released or event.type() == QEvent.Type.WindowDeactivate:
            application = QApplication.instance()
            assert application is not None
            application.removeEventFilter(self)
            self._peeking = False
            self.overlay.show()
            self.overlay_changed.emit(True)
        return False

    def _bind(self, key: keys.Key, action: object) -> QShortcut:
        shortcut = QShortcut(QKeySequence(key.sequence), self.parent())
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(action)
        return shortcut

    def _show_sequence(self, modality: str) -> None:
        viewer = self._viewer()
        if viewer is not None:
            show_sequence(viewer, modality)

    def _toggle_reference(self) -> None:
        viewer = self._viewer()
        if viewer is not None:
            toggle_reference(viewer)

    def _on_tool(self, layer: Layer | None) -> None:
        """Show a mask whose tool is chosen; leave the number keys to napari for other layers."""
        if isalive(self):
            for shortcut in self._sequences:
                shortcut.setEnabled(not uses_number_keys(layer))
            if layer is not None:
                self.tool_chosen.emit()
            if layer is not None and self.overlay.hidden and not self._peeking:
                self.set_overlay(True)


def _is_peek_key(event: QEvent) -> bool:
    return (
        isinstance(event, QKeyEvent)
        and not event.isAutoRepeat()
        and event.key() == getattr(Qt.Key, f"Key_{keys.PEEK.sequence}")
    )
