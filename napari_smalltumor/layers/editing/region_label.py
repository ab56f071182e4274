"""ET, TC and WT are painted with label 1 alone.

With label 0, which one press of ``-`` or ``X`` chooses, napari's brush would erase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_smalltumor import notify
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_INSIDE = 1


class RegionLabel:
    """Chooses the label 1 of the region layers of a viewer again when another one is chosen."""

    def __init__(self, viewer: ViewerModel) -> None:
        for layer in viewer.layers:
            self._connect(layer)
        viewer.layers.events.inserted.connect(self._on_inserted)

    def _on_inserted(self, event: Any) -> None:
        self._connect(event.value)

    def _connect(self, layer: Layer) -> None:
        if layer._type_string == "labels" and region_of(layer) is not None:
            layer.events.selected_label.connect(self._on_selected_label)

    def _on_selected_label(self, event: Any) -> None:
        layer = event.source
        region = region_of(layer)
        if region is not None and layer.selected_label != _INSIDE:
            layer.selected_label = _INSIDE
            notify.info(f"{region.name} has one label only. Press E to erase, P to paint.")


@one_per_viewer
def ensure_region_label(viewer: ViewerModel) -> RegionLabel:
    """Keep the label of the regions in a viewer; further calls return the same object."""
    return RegionLabel(viewer)
