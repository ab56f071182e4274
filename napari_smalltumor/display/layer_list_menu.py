"""The menu of napari's layer list opens when the click on the list has ended.

napari opens it within the click, and Qt then goes on with the place of the click in the list. If
layers were moved or removed meanwhile, by an entry of the menu or because a result has arrived,
that place no longer exists, and Qt crashes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from napari_smalltumor.display.layer_list import layer_lists
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel


class LayerListMenu:
    """Opens the menu of a layer list after the click.

    Parameters
    ----------
    delegate : QStyledItemDelegate
        napari's, which shows the rows of the list and opens the menu.
    """

    def __init__(self, delegate: Any) -> None:
        self._delegate, self._show = ref(delegate), type(delegate).show_context_menu
        delegate.show_context_menu = self._show_after_click

    def _show_after_click(self, index: object, model: Any, pos: Any, parent: Any) -> None:
        from qtpy.QtCore import QModelIndex, QTimer

        def show() -> None:
            from qtpy.compat import isalive

            delegate = self._delegate()
            if delegate is not None and isalive(delegate) and isalive(parent):
                self._show(delegate, QModelIndex(), model, pos, parent)

        QTimer.singleShot(0, show)


@one_per_viewer
def ensure_menu_after_click(viewer: ViewerModel) -> list[LayerListMenu]:
    """Open the menu of the layer list after the click from now on."""
    return [LayerListMenu(view.itemDelegate()) for view in layer_lists(viewer)]
