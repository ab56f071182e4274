"""What is selected stays selected while docks add and remove their own layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_smalltumor.layers.selection import select
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.switching.view_state import first_selection

if TYPE_CHECKING:
    from napari.components import ViewerModel


@contextmanager
def selection_kept(viewer: ViewerModel) -> Iterator[None]:
    """Context after which the same layers are selected as before.

    If all of them were removed, ET or another layer of the active patient is selected: with none,
    napari's brush and layer controls would be gone.
    """
    selection = viewer.layers.selection
    selected, active = list(selection), selection.active
    try:
        yield
    finally:
        left = [layer for layer in selected if layer in viewer.layers]
        if selected and not left:
            left = first_selection(active_patient(viewer).layers)
        select(viewer, left)
        if active in viewer.layers:
            selection.active = active
