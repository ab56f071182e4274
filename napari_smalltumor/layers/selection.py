"""The selected layers, and the layer whose name is being edited in the layer list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


def select(viewer: ViewerModel, layers: Iterable[Layer]) -> None:
    """Select exactly these layers."""
    wanted = set(layers)
    selection = viewer.layers.selection
    if set(selection) == wanted:
        return
    if len(wanted) == 1:
        selection.active = next(iter(wanted))
        return
    selection.clear()
    selection.update(wanted)


@contextmanager
def selection_untouched(viewer: ViewerModel) -> Iterator[None]:
    """Context in which layers are inserted without being selected, even for a moment.

    napari selects each layer that is inserted. The layer list would then end the renaming of
    another layer, and the next letters would be keys that act on lesions.
    """
    selection = viewer.layers.selection
    selected = list(selection)
    with selection.events.blocker_all():
        try:
            yield
        finally:
            select(viewer, selected)


def name_is_edited() -> bool:
    """Whether a layer is being renamed in the layer list, which a selection would end."""
    from qtpy.QtWidgets import QAbstractItemView, QApplication, QLineEdit

    field = QApplication.focusWidget() if QApplication.instance() is not None else None
    parent = field.parentWidget() if isinstance(field, QLineEdit) else None
    return parent is not None and isinstance(parent.parentWidget(), QAbstractItemView)
