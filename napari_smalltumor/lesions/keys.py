"""Keys for the review, on the canvas and in the dock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from napari.utils.key_bindings import KeyBinding
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget


class ReviewKeys:
    """Binds keys on a viewer, and the same keys on a widget.

    napari itself uses none of these keys, for the viewer or for any kind of layer, so they mean
    the same whatever layer is active and whatever has the focus.

    Parameters
    ----------
    viewer : ViewerModel
    actions : mapping of str to callable
        The action of each key; keys are spelled as in napari (``Shift-N``).
    """

    def __init__(self, viewer: ViewerModel, actions: Mapping[str, Callable[[], None]]) -> None:
        self._viewer = unproxied(viewer)
        self._bindings = {key: _Binding(action) for key, action in actions.items()}
        for key, binding in self._bindings.items():
            binding.replaced = self._viewer.bind_key(key, binding, overwrite=True)

    def bind_widget(self, widget: QWidget) -> None:
        """Bind the keys for as long as the focus is inside a widget, such as a table."""
        for key, binding in self._bindings.items():
            shortcut = QShortcut(QKeySequence(key.replace("-", "+")), widget)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(binding.action)

    def unbind(self) -> None:
        """Remove the bindings from the viewer, and restore those that they replaced.

        A key that was bound again in the meantime stays as it is.
        """
        for key, binding in self._bindings.items():
            binding.is_removed = True
            if self._viewer.keymap.get(KeyBinding.from_str(key)) is binding:
                self._viewer.bind_key(key, _still_bound(binding), overwrite=True)
        self._bindings = {}


class _Binding:
    """A function for napari's keymap that calls an action."""

    def __init__(self, action: Callable[[], None]) -> None:
        self.action = action
        self.replaced: Any = None
        self.is_removed = False
        self.__name__ = "review_lesions"  # napari looks it up whenever any key is pressed

    def __call__(self, viewer: ViewerModel) -> None:
        self.action()


def _still_bound(function: Any) -> Any:
    """The function, or the one that it replaced if its review was closed; None without one."""
    while isinstance(function, _Binding) and function.is_removed:
        function = function.replaced
    return function
