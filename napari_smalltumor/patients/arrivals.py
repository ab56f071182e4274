"""Patients whose files are being read: unknown to the docks until all layers are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_smalltumor.layers.patient import Patient, patient_of

if TYPE_CHECKING:
    from napari.layers import Layer


class Arrivals:
    """The patients whose layers arrive one after another, and the name of what is being read.

    Attributes
    ----------
    requested_for : Patient or None
        Who was active when the files that are being read were asked for.
    follows_last : bool
        Whether they were asked for together with those that were read before them.
    """

    changed = Signal()
    """Another case is being read, or none."""

    def __init__(self) -> None:
        self.requested_for: Patient | None = None
        self.follows_last = False
        self._reading = ""
        self._adding = False
        self._held: set[Patient] = set()
        self._last: Layer | None = None

    @property
    def reading(self) -> str:
        """Name of the case that is being read; empty if there is none."""
        return self._reading

    @reading.setter
    def reading(self, name: str) -> None:
        self._reading = name
        self.changed.emit()

    @property
    def adding(self) -> bool:
        """Whether a layer that is added now has arrived."""
        return self._adding

    @property
    def patient_of_unnamed(self) -> Patient | None:
        """Whose a mask is that arrives now, if nothing else tells.

        That of the files before it, if it was dropped with them or no patient was active then.
        """
        follows = self.follows_last or self.requested_for is None
        return self.last_patient if follows and self.last_patient else self.requested_for

    @property
    def last_patient(self) -> Patient | None:
        """The patient of the layer that arrived last, until `finish`."""
        return patient_of(self._last) if self._last is not None else None

    @contextmanager
    def one(self) -> Iterator[None]:
        """Context in which a layer of files that are being read is added."""
        self._adding = True
        try:
            yield
        finally:
            self._adding = False

    def add(self, layer: Layer, *, is_new: bool) -> None:
        """A layer has arrived; if its patient is new, it is held back until `finish`."""
        self._last, patient = layer, patient_of(layer)
        if is_new and patient is not None:
            self._held.add(patient)

    def holds(self, patient: Patient | None) -> bool:
        """Whether a patient is held back, because not all of its layers may be there."""
        return patient in self._held

    def release(self, patient: Patient) -> None:
        """Hold a patient back no longer."""
        self._held.discard(patient)

    def finish(self) -> Layer | None:
        """Hold no patient back; return the layer that arrived last."""
        last, self._last = self._last, None
        self.requested_for, self.follows_last = None, False
        self._held.clear()
        self.reading = ""
        return last
