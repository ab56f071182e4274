"""Show one sequence of the active patient, as the number keys do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from smalltumor.data.naming.case_files import MODALITY_TITLES

from napari_smalltumor import notify
from napari_smalltumor.layers.editing.tool import has_tool, put_down_tool
from napari_smalltumor.layers.metadata import LayerKind, role_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


def show_sequence(viewer: ViewerModel, modality: str) -> None:
    """Show the image of a modality and hide the active patient's others, or say it is missing."""
    images = [x for x in active_patient(viewer).layers if _is_image(x)]
    shown = [x for x in images if _modality(x) == modality]
    if not shown:
        text = f"The patient has no {MODALITY_TITLES[modality]}."
        notify.info(active_patient(viewer).messages.about_active(text))
        return
    for layer in images:
        layer.visible = layer in shown


def _is_image(layer: Layer) -> bool:
    role = role_of(layer)
    return role is not None and role.kind is LayerKind.IMAGE


def _modality(layer: Layer) -> str | None:
    role = role_of(layer)
    return role.modality if role is not None else None


class ToolMonitor:
    """Reports the layer whose tool is chosen, such as the brush.

    Parameters
    ----------
    viewer : ViewerModel
    changed : callable
        Called with the selected layer when a tool of it is chosen, and with None when the mouse
        moves the view again.
    """

    def __init__(self, viewer: ViewerModel, changed: Callable[[Layer | None], None]) -> None:
        self._selection = unproxied(viewer).layers.selection
        self._changed = changed
        self._layer: Layer | None = None
        self._selection.events.active.connect(self._on_active)
        self._on_active()

    def drop_tool(self) -> None:
        """Let the mouse move the view again instead of using a tool of the selected layer."""
        put_down_tool(self._layer)

    def _on_active(self, event: Any = None) -> None:
        if self._layer is not None and hasattr(self._layer.events, "mode"):
            self._layer.events.mode.disconnect(self._on_mode)
        self._layer = self._selection.active
        if self._layer is not None and hasattr(self._layer.events, "mode"):
            self._layer.events.mode.connect(self._on_mode)
        self._on_mode()

    def _on_mode(self, event: Any = None) -> None:
        self._changed(self._layer if has_tool(self._layer) else None)


def uses_number_keys(layer: Layer | None) -> bool:
    """Whether number keys are napari's while a tool of a layer is chosen.

    They would choose another tool, such as the eraser. Where a mask of a patient is painted, they
    choose a sequence all the same: whoever paints looks at several.
    """
    return layer is not None and not (layer._type_string == "labels" and patient_of(layer))
