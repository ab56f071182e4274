"""The layers of a patient since its files were opened, by which it is recognised if they return."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from napari.layers import Layer


class OpenedLayers:
    """The layers of a patient since its files were opened.

    They return if they were removed by hand. If the same files are opened anew, their layers are
    others.

    Parameters
    ----------
    layers : iterable of Layer
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        self._layers = WeakSet(layers)

    def continue_with(self, layers: Collection[Layer]) -> bool:
        """Whether a patient who has these layers now is open still, or again with its layers.

        All of them belong to it then: those that are removed one by one return together.
        """
        if not any(layer in self._layers for layer in layers):
            return False
        self._layers.update(layers)
        return True
