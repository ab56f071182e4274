"""The metadata of a layer, which tell of what case and patient it is and so are its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari.experimental import unlink_layers
from napari.layers.utils._link_layers import layer_is_linked

if TYPE_CHECKING:
    from napari.layers import Layer


def set_metadata(layer: Layer, metadata: Mapping[str, Any]) -> None:
    """Set the metadata of a layer, and not those of layers that are linked to it."""
    separate_metadata(layer)
    layer.metadata = dict(metadata)


def separate_metadata(layer: Layer) -> None:
    """Unlink the metadata of a layer from those of all others, however they were linked."""
    if layer_is_linked(layer):
        unlink_layers([layer], ("metadata",))
