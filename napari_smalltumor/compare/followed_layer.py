"""Notice edits of the layer that a reference was copied from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_smalltumor.layers.editing.region_edits import RegionEdits
from napari_smalltumor.layers.metadata import checksum

if TYPE_CHECKING:
    from napari.layers import Labels


class FollowedLayer:
    """Calls a function some time after the content of a layer was changed, also by an undo.

    Parameters
    ----------
    edited : callable
        Called with the layer.
    parent : QObject
    """

    def __init__(self, edited: Callable[[Labels], None], parent: QObject) -> None:
        self._edited = edited
        self._layer: Labels | None = None
        self._checksum = 0
        self._edits = RegionEdits(self._report, parent)

    def follow(self, layer: Labels | None) -> None:
        """Follow this layer and no other; None for no layer."""
        if layer is self._layer:
            return
        self._layer = layer
        self._checksum = checksum(layer.data) if layer is not None else 0
        self._edits.follow([layer] if layer is not None else [])

    def _report(self) -> None:
        if self._layer is None or checksum(self._layer.data) == self._checksum:
            return
        self._checksum = checksum(self._layer.data)
        self._edited(self._layer)
