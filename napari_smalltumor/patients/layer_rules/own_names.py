"""The name of a layer never says another open patient than the one it belongs to.

Layers are listed, chosen and reported by their names, which the user can change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet, ref

from napari_smalltumor import notify
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of
from napari_smalltumor.layers.titles import drop_needless_numbers, without_number
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.patients.deferred_calls import when_idle
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class OwnNames:
    """Takes back names that say another patient, and begins older ones with the own patient's.

    Parameters
    ----------
    viewer : ViewerModel
    patients : ActivePatient
    """

    def __init__(self, viewer: ViewerModel, patients: ActivePatient) -> None:
        self._viewer, self._patients = ref(viewer), patients
        self._followed: WeakSet[Layer] = WeakSet()
        self._names: WeakKeyDictionary[Layer, str] = WeakKeyDictionary()
        self._is_waiting = False
        viewer.layers.events.inserted.connect(self._check_later)
        patients.patients_changed.connect(self._check_later)
        patients.reassigned.connect(self._check_later)
        self._check_later()

    def _check_later(self, event: Any = None) -> None:
        """Check all names when napari has numbered those that were given twice."""
        if not self._is_waiting:
            self._is_waiting = True
            when_idle(self._check)

    def _check(self) -> None:
        self._is_waiting = False
        viewer = self._viewer()
        layers = list(viewer.layers) if viewer is not None else []
        for layer in layers:
            if layer not in self._followed:
                self._followed.add(layer)
                layer.events.name.connect(self._check_later)
            self._check_one(layer, layers)
        for layer in layers:
            self._names[layer] = layer.name

    def _check_one(self, layer: Layer, layers: Iterable[Layer]) -> None:
        patient, patients = patient_of(layer), self._patients
        if patient is None:
            return
        titles = {each: patients.title_of(each) for each in patients.patients}
        other = said_instead(layer.name, patient, titles)
        if other is None:
            return
        said, title = without_number(layer.name), patients.title_of(patient)
        layer.name = self._name_before(layer) or f"{title} {said}"
        drop_needless_numbers(layers_of_patient(layers, other), layers)
        text = (
            f"A layer of {title} cannot be called {said}, because {patients.title_of(other)} is "
            f"open, too. It is called {layer.name}."
        )
        notify.warn(patients.messages.about(patient, text))

    def _name_before(self, layer: Layer) -> str:
        """The name that a layer had before it was given this one; empty if it was not renamed."""
        before = self._names.get(layer, layer.name)
        return "" if before == layer.name else before


def said_instead(name: str, patient: Patient, titles: dict[Patient, str]) -> Patient | None:
    """The patient whom a name says first, if that is another than the own; else None.

    Parameters
    ----------
    name : str
    patient : Patient
        Whose layer has the name.
    titles : dict of Patient to str
        The patients that are open, and their names for the user.
    """
    found = [
        (start, -length, each)
        for each, title in titles.items()
        for start, length in (_place(name, each.name), _place(name, title))
        if length
    ]
    first = min((place[:2] for place in found), default=None)
    said = [each for *place, each in found if tuple(place) == first]
    return None if not said or patient in said else said[0]


def _place(name: str, words: str) -> tuple[int, int]:
    """Where whole words are in a name, and their length; 0 if they are not."""
    match = re.search(rf"(?<![^\W_]){re.escape(words)}(?![^\W_])", name, re.IGNORECASE)
    return (0, 0) if match is None else (match.start(), len(words))


@one_per_viewer
def ensure_own_names(viewer: ViewerModel) -> OwnNames:
    """Keep other patients out of names from now on; further calls return the same object."""
    return OwnNames(viewer, active_patient(viewer))
