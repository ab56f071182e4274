"""Hidden layers that the user shows: their patient becomes active."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.patients.deferred_calls import when_idle
from napari_smalltumor.patients.switching.hidden_layers import HiddenLayers

if TYPE_CHECKING:
    from napari.layers import Layer


class ShownByHand:
    """Activates the patient of hidden layers that were shown, once all of a command were.

    Commands that show layers of several patients at once, the active one included, activate none:
    each patient would be drawn.

    Parameters
    ----------
    hidden : HiddenLayers
    stays_hidden : callable
        Whether a patient is not to become active now, such as while its files are being read.
    activate : callable
        Makes a patient active if it is open.
    """

    def __init__(
        self,
        hidden: HiddenLayers,
        stays_hidden: Callable[[Patient], bool],
        activate: Callable[[Patient], None],
    ) -> None:
        self._hidden, self._stays_hidden, self._activate = hidden, stays_hidden, activate
        self._shown: set[Patient] = set()
        self._active_too = self._is_waiting = False

    def follow(self, layer: Layer) -> None:
        """Notice when a layer is shown."""
        layer.events.visible.connect(self._on_visible)

    def release(self, layer: Layer) -> None:
        """Follow a layer no more."""
        layer.events.visible.disconnect(self._on_visible)

    def forget(self) -> None:
        """Activate nobody for what was shown before, since another patient is active now."""
        self._shown.clear()

    def _on_visible(self, event: Any) -> None:
        layer = event.source
        patient = patient_of(layer)
        if self._hidden.is_changing or patient is None:
            return
        if layer not in self._hidden:
            self._active_too |= layer.visible
        elif self._stays_hidden(patient):
            self._hidden.set_visible(layer, layer.visible)
        elif layer.visible:
            self._hidden.set_visible(layer, True)
            self._shown.add(patient)
        if (self._shown or self._active_too) and not self._is_waiting:
            self._is_waiting = True
            when_idle(self._activate_only)

    def _activate_only(self) -> None:
        shown, others = set(self._shown), self._active_too
        self._shown.clear()
        self._active_too = self._is_waiting = False
        if len(shown) == 1 and not others:
            self._activate(shown.pop())
