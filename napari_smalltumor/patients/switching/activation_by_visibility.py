"""Hidden layers that the user shows: their patient becomes active."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet, ref

from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of
from napari_smalltumor.patients.switching.hidden_layers import HiddenLayers

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Layer

_States = WeakKeyDictionary["Layer", bool]
"""Whether layers were visible."""


@dataclass
class _Command:
    """What a command of the user has done to layers so far.

    Parameters
    ----------
    shown : dict of Patient to _States
        Hidden layers that were shown, and whether they are visible when their patient is active.
    hidden : list of Layer
        Layers of the active patient that were hidden.
    shows_active : bool
        Whether a layer of the active patient was shown.
    """

    shown: dict[Patient, _States] = field(default_factory=dict)
    hidden: list[Layer] = field(default_factory=list)
    shows_active: bool = False


class ActivationByVisibility:
    """Activates the patient of hidden layers that were shown, once all of a command were.

    Commands that show layers of several patients at once, the active one included, activate none:
    each patient would be drawn. A click with Alt on the eye of a layer shows it and hides all
    others: its patient then is shown with this layer alone, and the layers of the patient who was
    active before are shown as they were when it is active again.

    Parameters
    ----------
    layers : LayerList
    hidden : HiddenLayers
    stays_hidden : callable
        Whether a patient is not to become active now, such as while its files are being read.
    activate : callable
        Makes a patient active if it is open.
    """

    def __init__(
        self,
        layers: LayerList,
        hidden: HiddenLayers,
        stays_hidden: Callable[[Patient], bool],
        activate: Callable[[Patient], None],
    ) -> None:
        self._layers = layers
        self._hidden, self._stays_hidden, self._activate = hidden, stays_hidden, activate
        self._visible: WeakSet[Layer] = WeakSet()
        self._command = _Command()
        self._is_waiting = False
        self._alone: ref[Layer] | None = None
        self._before_alone: _States = WeakKeyDictionary()

    def follow(self, layer: Layer) -> None:
        """Notice when a layer is shown or hidden."""
        layer.events.visible.connect(self._on_visible)
        self._was_visible(layer)

    def release(self, layer: Layer) -> None:
        """Follow a layer no more."""
        layer.events.visible.disconnect(self._on_visible)

    def forget(self) -> None:
        """Activate nobody for what was shown before, since another patient is active now."""
        self._command = _Command()

    def _on_visible(self, event: Any) -> None:
        layer = event.source
        patient, was_visible = patient_of(layer), self._was_visible(layer)
        if self._hidden.is_changing or patient is None:
            return
        if layer not in self._hidden:
            if layer.visible:
                self._command.shows_active = True
            elif was_visible:
                self._command.hidden.append(layer)
        elif self._stays_hidden(patient):
            self._hidden.set_visible(layer, layer.visible)
            return
        elif layer.visible:
            shown = self._command.shown.setdefault(patient, WeakKeyDictionary())
            shown.setdefault(layer, self._hidden.is_visible(layer))
            self._hidden.set_visible(layer, True)
        if not self._is_waiting:
            self._is_waiting = True
            when_idle(self._end_command)

    def _was_visible(self, layer: Layer) -> bool:
        """Whether a layer was visible when this was asked last; napari tells of no change, too."""
        before = layer in self._visible
        if layer.visible:
            self._visible.add(layer)
        else:
            self._visible.discard(layer)
        return before

    def _end_command(self) -> None:
        command, self._command = self._command, _Command()
        self._is_waiting = False
        if len(command.shown) != 1 or command.shows_active:
            return
        ((patient, shown),) = command.shown.items()
        if not self._leaves_nothing(command):
            self._activate(patient)
            return
        before = self._states_before(command)
        if len(shown) == 1:
            self._show_alone(patient, shown)
        try:
            self._activate(patient)
        finally:  # an error in drawing is raised when the patient is active
            for layer, visible in before.items():
                self._hidden.set_visible(layer, visible)

    def _leaves_nothing(self, command: _Command) -> bool:
        """Whether a command has hidden all layers of the active patient that were visible."""
        active = patient_of(command.hidden[0]) if command.hidden else None
        return active is not None and not any(
            layer.visible for layer in layers_of_patient(self._layers, active)
        )

    def _states_before(self, command: _Command) -> _States:
        """How the active patient was shown before a command, or before one layer was alone."""
        if self._alone is not None and command.hidden == [self._alone()]:
            return self._before_alone
        return WeakKeyDictionary(dict.fromkeys(command.hidden, True))

    def _show_alone(self, patient: Patient, shown: _States) -> None:
        """Hide all layers of a patient but those that were shown."""
        layers = layers_of_patient(self._layers, patient)
        before = {layer: shown.get(layer, self._hidden.is_visible(layer)) for layer in layers}
        self._alone, self._before_alone = ref(next(iter(shown))), WeakKeyDictionary(before)
        for layer in layers:
            self._hidden.set_visible(layer, layer in shown)
