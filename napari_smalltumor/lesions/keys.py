"""Keys for the review, on the canvas and in the dock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget


class ReviewKeys:
    """Binds keys on a viewer, and the same keys on a widget.

    napari itself uses none of these keys for the viewer, for images or for labels, so a binding
    on the viewer also works while one of these layers is active.

    Parameters
    ----------
    viewer : ViewerModel
    actions : mapping of str to callable
        The action of each key; keys are spelled as in napari (``Shift-N``).
    """

    def __init__(self, viewer: ViewerModel, actions: Mapping[str, Callable[[], None]]) -> None:
        self._viewer = viewer
        self._actions = dict(actions)
        for key, action in self._actions.items():
            viewer.bind_key(key, _without_viewer(action), overwrite=True)

    def bind_widget(self, widget: QWidget) -> None:
        """Bind the keys for as long as the focus is inside a widget, such as a table."""
        for key, action in self._actions.items():
            shortcut = QShortcut(QKeySequence(key.replace("-", "+")), widget)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)

    def unbind(self) -> None:
        """Remove the bindings from the viewer."""
        for key in self._actions:
            self._viewer.bind_key(key, None, overwrite=True)
        self._actions = {}


def _without_viewer(action: Callable[[], None]) -> Callable[[Any], None]:
    """napari passes the viewer to the function of a key; actions take no argument."""
    return lambda viewer: action()
