"""Layers of the patients that are not active: hidden, and protected from edits and removal.

napari itself does not paint on a hidden layer. It would delete it, however, if it is selected. So a
hidden layer is locked, which prevents deletion and conversion, and stays locked if the user unlocks
it. `layers.editing.visibility` guards its undo keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.layers.drawing_errors import DrawingErrors
from napari_smalltumor.layers.editing.tool import put_down_tool
from napari_smalltumor.layers.editing.unfinished_polygon import drop_unfinished_polygon
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.patients.layer_rules.links import separate_visibility
from napari_smalltumor.widgets.flag import Flag

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Layer


@dataclass
class _Before:
    """State of a layer to be restored when its patient is active."""

    visible: bool
    locked: Any


class HiddenLayers:
    """The hidden layers of a viewer's patients that are not active.

    Parameters
    ----------
    explain_locks : callable
        Called with the layers that a command of the user has unlocked, which are locked again.
    """

    def __init__(self, explain_locks: Callable[[list[Layer]], None]) -> None:
        self._explain_locks = explain_locks
        self._unlocked: list[Layer] = []
        self._before: WeakKeyDictionary[Layer, _Before] = WeakKeyDictionary()
        self.is_changing = Flag()
        """Whether the visibility of a layer is being changed here, and not by the user."""
        self._is_to_move = False

    def __contains__(self, layer: Layer) -> bool:
        return layer in self._before

    def show_only(self, layers: LayerList, patient: Patient | None) -> None:
        """Hide the layers of all other patients, and soon list them below those that are shown.

        Raises
        ------
        Exception
            The first one of what draws the layers, after all of them have been hidden or shown.
        """
        own = [x for x in layers if patient_of(x) in (None, patient)]
        others = [x for x in layers if patient_of(x) not in (None, patient)]
        new = [x for x in others if x not in self]
        for layer in new:  # all first, because layers that are linked to one are hidden with it
            self._remember(layer)
        changes = [
            *(partial(self._hide, layer) for layer in new),
            *(partial(self.release, layer) for layer in own),
            *(partial(self._hide_linked, layers, layer) for layer in others),
        ]
        with DrawingErrors() as errors, self.is_changing:
            for change in changes:
                with errors.kept():  # no two patients may stay visible
                    change()
            if not self._is_to_move:
                self._is_to_move = True
                when_idle(partial(self._move_to_the_bottom, layers))

    def _move_to_the_bottom(self, layers: LayerList) -> None:
        """List hidden layers below all others, which does not change what is drawn."""
        self._is_to_move = False
        indices = [n for n, layer in enumerate(layers) if layer in self]
        if indices != list(range(len(indices))):
            with self.is_changing:
                layers.move_multiple(indices, 0)

    def index_below_shown(self, layers: LayerList) -> int:
        """Index at which a layer that is inserted is below all that are shown.

        `show_only` then need not move it, which would draw the window again.
        """
        shown = (n for n, layer in enumerate(layers) if layer not in self)
        return next(shown, len(layers))

    def _remember(self, layer: Layer) -> None:
        """Remember how a layer that is to be hidden is shown, until it is released."""
        self._before[layer] = _Before(layer.visible, layer.locked)
        layer.events.locked.connect(self._on_locked)

    def _hide(self, layer: Layer) -> None:
        """Hide and protect a layer; a brush is not in the hand when its patient is shown again."""
        drop_unfinished_polygon(layer)
        put_down_tool(layer)
        layer.locked = True
        if layer.visible:  # setting it again would draw the window again
            layer.visible = False

    def _hide_linked(self, layers: LayerList, layer: Layer) -> None:
        """Hide a layer that was shown with one of the active patient, to which it is linked."""
        if layer.visible or not layer.locked:
            separate_visibility(layers, layer)
            layer.visible, layer.locked = False, True

    def _on_locked(self, event: Any) -> None:
        layer = event.source
        if not layer.locked and not self.is_changing:
            layer.locked = True
            self._unlocked.append(layer)
            if len(self._unlocked) == 1:
                when_idle(self._explain)

    def _explain(self) -> None:
        unlocked, self._unlocked = self._unlocked, []
        self._explain_locks(list(dict.fromkeys(unlocked)))

    def release(self, layer: Layer) -> None:
        """Unlock a layer, and give it back the visibility that it had before it was hidden."""
        before = self._before.pop(layer, None)
        if before is None:
            return
        layer.events.locked.disconnect(self._on_locked)
        layer.locked = before.locked
        if layer.visible != before.visible:
            layer.visible = before.visible

    def is_visible(self, layer: Layer) -> bool:
        """Whether a layer is visible, or will be when its patient is active."""
        before = self._before.get(layer)
        return bool(layer.visible if before is None else before.visible)

    def set_visible(self, layer: Layer, visible: bool) -> None:
        """Show or hide a layer, now or, if it is hidden, when its patient is active."""
        if layer not in self._before:
            layer.visible = visible
            return
        self._before[layer].visible = visible
        if layer.visible:
            with self.is_changing:
                layer.visible = False
