"""Patients whose hidden layers the user shows: the patient becomes active."""

from __future__ import annotations

from collections.abc import Callable

from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.patients.deferred_calls import when_idle


class ShownByHand:
    """Activates the patient of hidden layers that were shown, once all of a command were.

    Layers of several patients, as napari's commands show them all at once, activate none: each
    patient would be drawn. The active patient counts too.

    Parameters
    ----------
    activate : callable
        Makes a patient active if it is open.
    """

    def __init__(self, activate: Callable[[Patient], None]) -> None:
        self._activate = activate
        self._patients: list[Patient] = []

    def add(self, patient: Patient) -> None:
        """A layer of a patient was shown."""
        self._patients.append(patient)
        if len(self._patients) == 1:
            when_idle(self._activate_only)

    def _activate_only(self) -> None:
        patients, self._patients = set(self._patients), []
        if len(patients) == 1:
            self._activate(patients.pop())
