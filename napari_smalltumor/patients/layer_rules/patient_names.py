"""The name of a layer never begins with another open patient than the one it belongs to.

Layers are listed, chosen and reported by their names, which the user can change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet, ref

from napari_smalltumor import notify
from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of, titles
from napari_smalltumor.layers.titles import drop_needless_numbers, without_number
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class PatientNames:
    """Takes back names that begin with another patient's.

    An older name gets the name of its own patient in front instead.

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
        open_now = titles(self._patients.patients)
        for layer in layers:
            if layer not in self._followed:
                self._followed.add(layer)
                layer.events.name.connect(self._check_later)
            self._check_one(layer, layers, open_now)
        for layer in layers:
            self._names[layer] = layer.name

    def _check_one(
        self, layer: Layer, layers: Iterable[Layer], open_now: dict[Patient, str]
    ) -> None:
        patient = patient_of(layer)
        other = other_patient_in(layer.name, patient, open_now) if patient is not None else None
        if patient is None or other is None:
            return
        title, refused = self._patients.title_of(patient), without_number(layer.name)
        layer.name = self._name_before(layer) or f"{title} {without_number(layer.name)}"
        drop_needless_numbers(layers_of_patient(layers, other), layers)
        text = (
            f"The layer {refused} of {title} was renamed to {layer.name}: its name must not begin "
            f"with that of another open patient ({open_now[other]})."
        )
        notify.warn(self._patients.messages.about(patient, text))

    def _name_before(self, layer: Layer) -> str:
        """The name that a layer had before it was given this one; empty if it was not renamed."""
        before = self._names.get(layer, layer.name)
        return "" if before == layer.name else before


def other_patient_in(name: str, patient: Patient, open_now: dict[Patient, str]) -> Patient | None:
    """The patient with whose name a layer's name begins, if that is another patient; else None.

    If it begins with the names of several patients, that of its own patient or the longest counts.

    Parameters
    ----------
    name : str
    patient : Patient
        Whose layer has the name.
    open_now : dict of Patient to str
        The patients that are open, and their names for the user.
    """
    if f"{name} ".startswith(f"{open_now.get(patient, patient.name)} "):
        return None
    named = [
        (len(words), each)
        for each, title in open_now.items()
        for words in (each.name, title)
        if _begins(name, words)
    ]
    longest = max((length for length, _ in named), default=0)
    found = [each for length, each in named if length == longest]
    return None if not found or patient in found else found[0]


def _begins(name: str, words: str) -> bool:
    """Whether a name begins with whole words."""
    return name.startswith(words) and not name[len(words) :][:1].isalnum()


@one_per_viewer
def ensure_patient_names(viewer: ViewerModel) -> PatientNames:
    """Keep other patients out of names from now on; further calls return the same object."""
    return PatientNames(viewer, active_patient(viewer))
