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

    Layers of several patients, as napari's commands show them all at once, activate none: each
    patient would be drawn. The active patient counts too.

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
        self._patients: list[Patient] = []

    def follow(self, layer: Layer) -> None:
        """Notice when a layer is shown."""
        layer.events.visible.connect(self._on_visible)

    def release(self, layer: Layer) -> None:
        """Follow a layer no more."""
        layer.events.visible.disconnect(self._on_visible)

    def _on_visible(self, event: Any) -> None:
        layer = event.source
        patient = patient_of(layer)
        if self._hidden.is_changing or patient is None:
            return
        is_hidden = layer in self._hidden
        if is_hidden and self._stays_hidden(patient):
            self._hidden.set_visible(layer, layer.visible)
        elif layer.visible:
            if is_hidden:
                self._hidden.set_visible(layer, True)
            self._patients.append(patient)
            if len(self._patients) == 1:
                when_idle(self._activate_only)

    def _activate_only(self) -> None:
        patients, self._patients = set(self._patients), []
        if len(patients) == 1:
            self._activate(patients.pop())
