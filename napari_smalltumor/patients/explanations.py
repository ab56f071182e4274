"""Messages on why a layer belongs to a patient, or was not changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING
from weakref import ref

from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.layers.editing.visibility import can_be_seen
from napari_smalltumor.layers.joining import patient_with_other_regions
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.patients.messages import Condition, PatientMessages, while_not_active

if TYPE_CHECKING:
    from napari.layers import Layer


class Explanations:
    """Tells the user about the patients of layers.

    Parameters
    ----------
    messages : PatientMessages
        Removes a message when its patient is closed.
    title_of : callable
        Returns the name of a patient for the user.
    """

    def __init__(self, messages: PatientMessages, title_of: Callable[[Patient], str]) -> None:
        self._messages, self._title_of = messages, title_of

    def explain_assumed_patient(self, layer: Layer, patient: Patient) -> None:
        """Say that nothing but the patient who was shown tells whose a layer is."""
        text = (
            f"The file name of {layer.name} names no patient. The layer was added to "
            f"{self._title_of(patient)}, who was shown or opened at that time. If it is not "
            "theirs, remove it, and open the file again when its patient is shown."
        )
        notify.info(self._messages.about(patient, text))

    def explain_kept_apart(self, layer: Layer, layers: Iterable[Layer], patient: Patient) -> None:
        """If a mask is a patient of its own, say that its patient has regions already."""
        other = patient_with_other_regions(layer, list(layers))
        if other is None:
            return
        text = (
            f"{self._title_of(other)} has regions already, so the mask in {patient.location} is "
            "shown as a patient of its own. To compare it with these regions, choose it in the "
            "Compare dock. To use it instead, remove them and open it again."
        )
        notify.warn(self._messages.about(patient, text))

    def explain_locks(self, layers: Sequence[Layer]) -> None:
        """Say why layers that the user has unlocked are locked again, once for each patient."""
        for patient in dict.fromkeys(map(patient_of, layers)):
            if patient is None:
                continue
            names = [layer.name for layer in layers if patient_of(layer) == patient]
            stay, belong = ("stays", "it belongs") if len(names) == 1 else ("stay", "they belong")
            text = (
                f"{list_text(names)} {stay} locked: {belong} to {self._title_of(patient)}, who is "
                "not the active patient."
            )
            notify.warn(self._messages.about(patient, text, while_not_active(patient)))

    def explain_refused_edit(self, layer: Layer, active: Patient | None) -> None:
        """Say why undo or redo was refused: the layer is not seen.

        Parameters
        ----------
        layer : napari layer
        active : Patient, optional
            The active patient.
        """
        patient = patient_of(layer)
        if patient is not None and patient != active:
            reason = f"it belongs to {self._title_of(patient)}, who is not the active patient."
            holds = while_not_active(patient)
        else:
            why = "its opacity is 0. Raise" if layer.visible else "it is hidden. Show"
            reason = f"{why} it to undo or redo its edits."
            holds = _while_not_seen(layer)
            for event in (layer.events.visible, layer.events.opacity):
                event.connect(self._messages.remove_outdated)
        text = f"{layer.name} was not changed: {reason}"
        notify.warn(self._messages.about(patient, text, holds))


def _while_not_seen(layer: Layer) -> Condition:
    kept = ref(layer)

    def holds(active: Patient | None) -> bool:
        layer = kept()
        return layer is not None and not can_be_seen(layer)

    return holds
