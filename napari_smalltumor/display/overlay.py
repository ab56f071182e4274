"""Peek under the masks and rings of the active patient."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_OVERLAYS = ("labels", "points", "shapes", "surface")


class Overlay:
    """Makes the masks and rings transparent, and opaque again.

    Their visibility does not change: a hidden layer counts as removed when masks are exported,
    and showing a layer of another patient would make this patient active.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._patients = active_patient(viewer)
        self._opacities: WeakKeyDictionary[Layer, float] = WeakKeyDictionary()

    @property
    def hidden(self) -> bool:
        """Whether the masks are transparent."""
        return bool(self._opacities)

    def hide(self) -> None:
        """Make the masks and rings transparent."""
        for layer in self._patients.layers_in_use:
            if layer._type_string not in _OVERLAYS or layer in self._opacities:
                continue
            self._opacities[layer] = layer.opacity
            layer.opacity = 0.0

    def show(self) -> None:
        """Give them back the opacity that they had, unless it was set meanwhile."""
        opacities, self._opacities = self._opacities, WeakKeyDictionary()
        for layer, opacity in opacities.items():
            if layer.opacity == 0:
                layer.opacity = opacity
