"""The keys in napari's status bar while a layer is selected, of this plugin or another one.

napari names the keys of the tools of each layer there, such as its number keys. In this window
these show a sequence until a tool is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

from napari_smalltumor import keys
from napari_smalltumor.display.key_sheet import key_text
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_OF_NAPARI = "use <"
"""How the words begin that napari has for each tool; others, such as about blending, are kept."""

_GAP = "   "


class LayerHelp:
    """Puts keys of the window in place of those that napari names.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        for layer in viewer.layers:
            self._follow(layer)
        # Last, when napari has set the words.
        viewer.layers.events.inserted.connect(self._on_inserted, position="last")

    def _on_inserted(self, event: Any) -> None:
        self._follow(event.value)

    def _follow(self, layer: Layer) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        layer.events.help.connect(_on_help)
        _set_help(layer)
        if viewer.layers.selection.active is layer:  # napari asks for it when it is selected
            viewer.help = layer.help


def _on_help(event: Any) -> None:
    _set_help(event.source)


def _set_help(layer: Layer) -> None:
    if _has_tool_of_napari(layer):
        return
    if not layer.help or layer.help.startswith(_OF_NAPARI):
        layer.help = help_of(_keys_of(layer))


def _has_tool_of_napari(layer: Layer) -> bool:
    """Whether points or shapes are being drawn, whose keys are napari's meanwhile."""
    return layer._type_string in ("points", "shapes") and layer.mode != "pan_zoom"


def _keys_of(layer: Layer) -> Sequence[keys.Key]:
    if layer._type_string != "labels" or not layer.editable:
        return keys.IMAGE_HELP
    return keys.MASK_HELP if layer.mode == "pan_zoom" else keys.TOOL_HELP


def help_of(shown: Sequence[keys.Key]) -> str:
    """Keys in one line, each with what it does in a word or two."""
    return _GAP.join(f"{key_text(key.sequence)} {key.short}" for key in shown)


@one_per_viewer
def ensure_layer_help(viewer: ViewerModel) -> LayerHelp:
    """Name the window's keys from now on; further calls return the same object."""
    return LayerHelp(viewer)
