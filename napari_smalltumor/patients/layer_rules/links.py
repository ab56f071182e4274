"""Layers of different patients that the user links: what is seen of one is not seen of the other.

napari's *Link Layers* links all properties. Windows and colours may be common to patients, but not
the visibility: showing one's layer would show the other's, whose patient then became active.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from napari.layers.utils._link_layers import get_linked_layers

from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import LayerList, ViewerModel
    from napari.layers import Layer

_SEPARATE = ("visible", "locked")


class PatientLinks:
    """Keeps the visibility of layers of different patients apart when they are linked.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._unlinking = False
        viewer.layers.selection.events.changed.connect(self._on_selection)

    def _on_selection(self, event: Any) -> None:
        """Follow napari, which emits a change of nothing when layers are linked."""
        viewer = self._viewer()
        if viewer is None or self._unlinking or event.added or event.removed:
            return
        self._unlinking = True
        try:
            for layer in viewer.layers:
                separate_visibility(viewer.layers, layer)
        finally:
            self._unlinking = False


def separate_visibility(layers: LayerList, layer: Layer) -> None:
    """Unlink the visibility of a layer from that of layers of other patients."""
    for other in get_linked_layers(layer):
        if patient_of(other) != patient_of(layer):
            layers.unlink_layers([layer, other], _SEPARATE)


@one_per_viewer
def ensure_separate_visibility(viewer: ViewerModel) -> PatientLinks:
    """The links of a viewer's patients; all calls for a viewer return the same object."""
    return PatientLinks(viewer)
