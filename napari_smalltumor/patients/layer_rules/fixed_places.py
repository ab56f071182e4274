"""Layers of a case stay where their voxels are in the patient.

napari's transform tool, its key 7 beside that for panning, moves a layer on the canvas. A mask or
an image that was moved would still be measured and written voxel by voxel, in its first place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
import numpy.typing as npt
from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.layers.metadata import role_of, source_role_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.patients.status_line import status_line
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_PROPERTIES = ("scale", "rotate", "shear", "translate", "affine")
"""What napari composes the transform of a layer of; setting scale, rotate and shear in this order
gives back what they were."""

Place = dict[str, npt.NDArray[np.float64]]


class FixedPlaces:
    """Puts layers of a case back where they were added, and ends the tool that moves them.

    Parameters
    ----------
    viewer : ViewerModel
    patients : ActivePatient
    """

    def __init__(self, viewer: ViewerModel, patients: ActivePatient) -> None:
        self._viewer, self._patients = ref(viewer), patients
        self._places: WeakKeyDictionary[Layer, Place] = WeakKeyDictionary()
        self._putting_back = False
        self._moved: list[str] = []
        for layer in viewer.layers:
            self._follow(layer)
        # Last, when labels that were drawn have the case on whose images they lie.
        viewer.layers.events.inserted.connect(self._on_inserted, position="last")
        patients.reassigned.connect(self._on_reassigned)

    def _on_inserted(self, event: Any) -> None:
        self._follow(event.value)

    def _on_reassigned(self) -> None:
        """Follow layers that the user has assigned to a patient, too."""
        viewer = self._viewer()
        for layer in viewer.layers if viewer is not None else ():
            self._follow(layer)

    def _follow(self, layer: Layer) -> None:
        """Remember where a layer of a case is; a copy of one is written on its grid too.

        Layers of no case, such as the rings, follow the active patient.
        """
        role = role_of(layer) or source_role_of(layer.metadata)
        if layer in self._places or role is None or role.case is None:
            return
        self._places[layer] = place_of(layer)
        layer.events.mode.connect(self._on_mode)
        for name in _PROPERTIES:
            getattr(layer.events, name).connect(self._on_moved)

    def _on_mode(self, event: Any) -> None:
        layer, viewer = event.source, self._viewer()
        if layer.mode == "transform" and viewer is not None:
            layer.mode = "pan_zoom"
            status_line(viewer).say(
                f"{layer.name} cannot be moved, because its voxels have a fixed place in the "
                "patient"
            )

    def _on_moved(self, event: Any) -> None:
        layer, viewer = event.source, self._viewer()
        place = self._places.get(layer)
        if viewer is None or self._putting_back or place is None:
            return
        if _are_equal(place, place_of(layer)):
            return
        # Layers that are linked would be moved to the place of this one.
        viewer.layers.unlink_layers([layer], _PROPERTIES)
        self._putting_back = True
        try:
            for name, value in place.items():
                setattr(layer, name, value)
        finally:
            self._putting_back = False
        self._say_so(layer)

    def _say_so(self, layer: Layer) -> None:
        """Say once which layers were moved, when napari has moved them all."""
        if patient_of(layer) == self._patients.current and layer.name not in self._moved:
            self._moved.append(layer.name)
            if len(self._moved) == 1:
                when_idle(self._report)

    def _report(self) -> None:
        names, self._moved = self._moved, []
        text = (
            f"{list_text(names)} {'was' if len(names) == 1 else 'were'} put back, because the "
            "voxels of a case have a fixed place in the patient."
        )
        if self._patients.current is not None:
            notify.info(self._patients.messages.about(self._patients.current, text))


def place_of(layer: Layer) -> Place:
    """The transform of a layer, as the values of its properties."""
    return {name: np.array(getattr(layer, name), dtype=np.float64) for name in _PROPERTIES}


def _are_equal(one: Place, other: Place) -> bool:
    return all(
        one[name].shape == other[name].shape and np.allclose(one[name], other[name], atol=1e-9)
        for name in _PROPERTIES
    )


@one_per_viewer
def ensure_fixed_places(viewer: ViewerModel) -> FixedPlaces:
    """Keep the layers of cases in their places from now on; further calls return the object."""
    return FixedPlaces(viewer, active_patient(viewer))
