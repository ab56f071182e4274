"""Slice, camera, and selected layers of each patient, kept while another patient is active."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakSet, ref

import numpy as np
from smalltumor.data.case import REFERENCE
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.layers.modalities import modality_of
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patients_among
from napari_smalltumor.layers.selection import select

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


@dataclass(frozen=True, eq=False)
class ViewState:
    """The view of a patient.

    Parameters
    ----------
    point : tuple of float
        World coordinates of the slices that are shown.
    order : tuple of int
        Order of the axes: the displayed ones are last.
    ndisplay : {2, 3}
    centre, angles : tuple of float
        Of the camera.
    zoom : float
    selected : set of Layer
    """

    point: tuple[float, ...]
    order: tuple[int, ...]
    ndisplay: int
    centre: tuple[float, ...]
    angles: tuple[float, ...]
    zoom: float
    selected: WeakSet[Layer] = field(default_factory=WeakSet)

    @classmethod
    def of(cls, viewer: ViewerModel, layers: Iterable[Layer]) -> ViewState:
        """The current view, with the selected ones among some layers."""
        dims, camera = viewer.dims, viewer.scene.camera
        selected = WeakSet(layer for layer in layers if layer in viewer.layers.selection)
        return cls(
            tuple(dims.point),
            tuple(dims.order),
            dims.ndisplay,
            tuple(camera.center),
            tuple(camera.angles),
            camera.zoom,
            selected,
        )

    def restore(self, viewer: ViewerModel) -> None:
        """Show the view again.

        Axes in front, which layers with more axes had, may have been added or removed meanwhile.
        Those that were added stay as they are.
        """
        dims, camera = viewer.dims, viewer.scene.camera
        dims.ndisplay = self.ndisplay  # first, because it may set the order of the axes
        added = dims.ndim - len(self.order)
        kept = (added + axis for axis in self.order if added + axis >= 0)
        dims.order = (*range(added), *kept)
        dims.point = (*dims.point[: max(added, 0)], *self.point[max(-added, 0) :])
        camera.center = self.centre
        camera.angles = self.angles
        camera.zoom = self.zoom


class ViewStates:
    """The views of the patients of a viewer.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._states: dict[Patient, ViewState] = {}

    @property
    def last(self) -> Patient | None:
        """The patient whose view was saved last."""
        return next(reversed(self._states), None)

    def save(self, patient: Patient | None, layers: Iterable[Layer]) -> None:
        """Keep the view of a patient with these layers; without any it has none."""
        viewer, layers = self._viewer(), list(layers)
        if patient is not None and viewer is not None and layers:
            self._states.pop(patient, None)  # the last key is the patient left last
            self._states[patient] = ViewState.of(viewer, layers)

    def restore(self, patient: Patient, layers: Iterable[Layer], *, fit: bool) -> None:
        """Show the view of a patient, and select its layers of before, or else one of them.

        `fit` moves the view to a patient that has none.
        """
        viewer, state, layers = self._viewer(), self._states.get(patient), list(layers)
        if viewer is None:
            return
        if state is not None:
            state.restore(viewer)
        elif fit:
            fit_view(viewer, layers)
        # napari iterates over the selection while it shows the selected layers.
        if not any(layer in viewer.layers.selection for layer in layers):
            known = [layer for layer in layers if state is not None and layer in state.selected]
            select(viewer, known or first_selection(layers))

    def keep_selection(self, patient: Patient, layers: Iterable[Layer]) -> None:
        """Select these layers when the patient is active again."""
        if patient in self._states:
            self._states[patient].selected.clear()
            self._states[patient].selected.update(layers)

    def restore_selection(self, selected: Iterable[Layer], hidden: Container[Layer]) -> None:
        """Select layers again if a hidden one was selected, which is kept for its patient."""
        viewer, selected = self._viewer(), list(selected)
        if viewer is None:
            return
        chosen = list(viewer.layers.selection)
        if set(chosen) == set(selected):
            return
        for patient in patients_among(layer for layer in chosen if layer in hidden):
            self.keep_selection(patient, layers_of_patient(chosen, patient))
        if any(layer in hidden for layer in chosen):
            select(viewer, [layer for layer in selected if layer in viewer.layers])

    def select_none_of(self, hidden: Container[Layer]) -> None:
        """Deselect hidden layers, unless the user has selected nothing else.

        napari makes new labels of the selected layer.
        """
        viewer = self._viewer()
        if viewer is None:
            return
        shown = [layer for layer in viewer.layers.selection if layer not in hidden]
        if shown:
            select(viewer, shown)

    def select_at_most_one(self, layers: Sequence[Layer]) -> None:
        """Select one of the layers of a patient that took the place of a closed one.

        After a deletion of selected layers, napari selects those that were locked: all layers of
        this patient, if all layers of the window had been selected. The next press of *Delete*
        would delete them.
        """
        viewer = self._viewer()
        if viewer is not None and sum(x in viewer.layers.selection for x in layers) > 1:
            select(viewer, first_selection(layers))

    def forget(self, patient: Patient) -> None:
        """Forget the view of a patient."""
        self._states.pop(patient, None)

    def keep_only(self, patients: Iterable[Patient]) -> None:
        """Forget the views of all patients but these."""
        kept = set(patients)
        self._states = {p: state for p, state in self._states.items() if p in kept}


def first_selection(layers: Sequence[Layer]) -> list[Layer]:
    """The layer that is selected at first: ET, else T1CE, else the topmost one."""
    regions = [layer for layer in layers if region_of(layer) is Region.ET]
    references = [layer for layer in layers if modality_of(layer) == REFERENCE]
    return (regions or references or list(layers))[-1:]


def fit_view(viewer: ViewerModel, layers: Iterable[Layer]) -> None:
    """Show the middle slices of some layers, and fit the canvas to them.

    If other layers have more axes, napari fits the canvas to all layers only; it is centred on
    these ones.
    """
    layers, dims = list(layers), viewer.dims
    middle = tuple(float(x) for x in np.mean(viewer.layers.get_extent(layers).world, axis=0))
    added = dims.ndim - len(middle)
    dims.point = (*dims.point[:added], *middle)
    viewer.reset_view(layers=None if added else layers, reset_camera_angle=False)
    if added:
        shown = [dims.point[axis] for axis in dims.displayed]
        viewer.scene.camera.center = (*(0.0 for _ in range(3 - len(shown))), *shown)
