"""Keys for the review, on the canvas and in the dock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget


class LesionKeys:
    """Binds keys on a viewer, and the same keys on a widget.

    None of napari's own keys for the viewer, for images and for labels is among those used, so
    a binding on the viewer is enough while one of these layers is active.

    Parameters
    ----------
    viewer : ViewerModel
    actions : mapping of str to callable
        What each key does, in napari's spelling (``Shift-N``).
    """

    def __init__(self, viewer: ViewerModel, actions: Mapping[str, Callable[[], None]]) -> None:
        self._viewer = viewer
        self._actions = dict(actions)
        for key, action in self._actions.items():
            viewer.bind_key(key, self._ignoring_viewer(action), overwrite=True)

    def bind_widget(self, widget: QWidget) -> None:
        """Let the keys work while the focus is inside a widget, such as a table."""
        from qtpy.QtCore import Qt
        from qtpy.QtGui import QKeySequence
        from qtpy.QtWidgets import QShortcut

        for key, action in self._actions.items():
            shortcut = QShortcut(QKeySequence(key.replace("-", "+")), widget)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)

    def release(self) -> None:
        """Unbind the keys from the viewer."""
        for key in self._actions:
            self._viewer.bind_key(key, None, overwrite=True)
        self._actions = {}

    @staticmethod
    def _ignoring_viewer(action: Callable[[], None]) -> Callable[[Any], None]:
        return lambda viewer: action()
