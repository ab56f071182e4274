"""Properties of linked layers that must not be common to them.

napari's *Link Layers* links all properties. Windows and colours may be common to patients, but not
the visibility: showing one's layer would show the other's, whose patient then became active. The
metadata, which tell of what case and patient a layer is, are each layer's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from napari.layers.utils._link_layers import get_linked_layers

from napari_smalltumor.layers.own_metadata import separate_metadata
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import LayerList, ViewerModel
    from napari.layers import Layer

_OF_A_PATIENT = ("visible", "locked")


class SeparateProperties:
    """Keeps the metadata of linked layers apart, and the visibility of different patients.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._unlinking = False
        viewer.layers.selection.events.changed.connect(self._on_selection)
        self._separate(viewer.layers)

    def _on_selection(self, event: Any) -> None:
        """Follow napari, which emits a change of nothing when layers are linked."""
        viewer = self._viewer()
        if viewer is not None and not (self._unlinking or event.added or event.removed):
            self._separate(viewer.layers)

    def _separate(self, layers: LayerList) -> None:
        self._unlinking = True
        try:
            for layer in layers:
                separate_metadata(layer)
                separate_visibility(layers, layer)
        finally:
            self._unlinking = False


def separate_visibility(layers: LayerList, layer: Layer) -> None:
    """Unlink the visibility of a layer from that of layers of other patients."""
    for other in get_linked_layers(layer):
        if patient_of(other) != patient_of(layer):
            layers.unlink_layers([layer, other], _OF_A_PATIENT)


@one_per_viewer
def ensure_separate_properties(viewer: ViewerModel) -> SeparateProperties:
    """The links of a viewer's layers; all calls for a viewer return the same object."""
    return SeparateProperties(viewer)
