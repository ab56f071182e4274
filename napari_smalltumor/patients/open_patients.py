"""The patients whose layers are open, in the order in which they were opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from napari_smalltumor.layers.patient import Patient, patients_among, titles
from napari_smalltumor.patients.arrivals import Arrivals

if TYPE_CHECKING:
    from napari.components import LayerList


class OpenPatients:
    """The patients of a viewer's layers, without those whose files are being read.

    Parameters
    ----------
    layers : LayerList
    arrivals : Arrivals
    """

    def __init__(self, layers: LayerList, arrivals: Arrivals) -> None:
        self._layers, self._arrivals = layers, arrivals
        self._known: list[Patient] = []

    def __contains__(self, patient: Patient | None) -> bool:
        """Whether a patient was open at the last `update`."""
        return patient in self._known

    def __iter__(self) -> Iterator[Patient]:
        """The patients at the last `update`."""
        return iter(list(self._known))

    @property
    def last(self) -> Patient | None:
        """The patient that was opened last."""
        return self._known[-1] if self._known else None

    @property
    def now(self) -> list[Patient]:
        """The patients of the layers as they are."""
        found = [p for p in patients_among(self._layers) if not self._arrivals.holds(p)]
        known = [patient for patient in self._known if patient in found]
        return known + [patient for patient in found if patient not in known]

    def title_of(self, patient: Patient) -> str:
        """Name of a patient for the user, with its folder if another one has the same name."""
        return titles(list(dict.fromkeys([*self.now, patient])))[patient]

    def update(self) -> list[Patient]:
        """Append new patients, and forget those whose last layers were removed: the result."""
        before, self._known = self._known, self.now
        return [patient for patient in before if patient not in self._known]
