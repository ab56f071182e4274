"""The one active patient of a viewer.

What is shown, listed, edited, segmented and exported belongs to the active patient. The layers of
all other patients are hidden. The patients are those of the layers in the viewer, so that no list
can disagree with it. Layers whose patient is not known, such as those of other plugins, stay as
they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import ref

from psygnal import Signal

from napari_smalltumor.layers.editing.visibility import guard_undo, release_undo
from napari_smalltumor.layers.joining import join_patient, joins_by_name
from napari_smalltumor.layers.metadata import claim_roles, role_of
from napari_smalltumor.layers.patient import (
    Patient,
    assign,
    patient_of,
    titles,
)
from napari_smalltumor.layers.selection import select, selection_untouched
from napari_smalltumor.layers.titles import name_by_titles
from napari_smalltumor.patients.arrivals import Arrivals
from napari_smalltumor.patients.explanations import Explanations
from napari_smalltumor.patients.messages import PatientMessages
from napari_smalltumor.patients.new_layers import NewLayers
from napari_smalltumor.patients.open_patients import OpenPatients
from napari_smalltumor.patients.switching.activation_by_visibility import ActivationByVisibility
from napari_smalltumor.patients.switching.hidden_layers import HiddenLayers
from napari_smalltumor.patients.switching.shown_patient import ShownPatient
from napari_smalltumor.patients.switching.view_state import ViewStates
from napari_smalltumor.patients.switching.window_title import WindowTitle
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class ActivePatient:
    """Knows the active patient of a viewer, and makes another one active.

    Opening a file makes its patient active. So does showing one of its hidden layers. Copies of
    layers, and layers that are added within `in_background`, do not. A new patient whose files are
    being read is hidden and not listed until `finish_arrivals`.

    Parameters
    ----------
    viewer : ViewerModel
    """

    changed = Signal()
    """Another patient is active, or none; its layers are visible already."""
    patients_changed = Signal()
    """Layers of a patient were added or removed."""
    reassigned = Signal()
    """Layers that were open before belong to a patient, or no longer to one."""

    def __init__(self, viewer: ViewerModel) -> None:
        claim_roles(viewer)
        self._viewer = ref(viewer)
        self._layers = viewer.layers
        self.patients_changed.connect(self._name_layers)
        self.messages = PatientMessages(lambda: self.current, self.changed, self.patients_changed)
        self.arrivals = Arrivals()
        self._opened = OpenPatients(self._layers, self.arrivals)
        self._explanations = Explanations(self.messages, self.title_of)
        self._views = ViewStates(viewer)
        self._hidden = HiddenLayers(self._explanations.explain_locks)
        self._activation_by_visibility = ActivationByVisibility(
            self._layers, self._hidden, self._stays_hidden, self._activate_if_open
        )
        self._shown = ShownPatient(
            viewer, self._hidden, self._activation_by_visibility, self._views, self.changed.emit
        )
        self._drawing_errors = self._shown.drawing_errors
        self._new = NewLayers(self._layers, lambda: self.current, lambda: self.title)
        self._new.unassigned.connect(self._on_unassigned)
        self._background = 0
        # Last, because napari must have added the layer to its window and updated the sliders.
        self._layers.events.inserted.connect(self._on_inserted, position="last")
        self._layers.events.removed.connect(self._on_removed, position="last")
        with self._drawing_errors:
            for layer in list(self._layers):
                self._add(layer)
        self._window_title = WindowTitle(
            viewer, lambda: self.title, (self.changed, self.patients_changed)
        )

    @property
    def current(self) -> Patient | None:
        """The active patient; None if no layer of a known patient is open."""
        return self._shown.patient

    @property
    def patients(self) -> list[Patient]:
        """The patients whose layers are open, in the order in which they were opened."""
        return self._opened.now

    @property
    def layers(self) -> list[Layer]:
        """The layers of the active patient, in layer order."""
        return self._shown.layers

    @property
    def layers_in_use(self) -> list[Layer]:
        """The layers of the active patient and those whose patient is not known."""
        return [x for x in self._layers if patient_of(x) in (None, self.current)]

    @property
    def title(self) -> str:
        """Name of the active patient, for the user; empty if there is none."""
        return self.title_of(self.current) if self.current is not None else ""

    def title_of(self, patient: Patient) -> str:
        """Name of a patient for the user, with its folder if another one has the same name."""
        return self._opened.title_of(patient)

    def activate(self, patient: Patient) -> None:
        """Make a patient active: hide all others, and show its layers as they were shown last.

        Raises
        ------
        ValueError
            If no layer of the patient is open.
        """
        if patient not in self.patients:
            raise ValueError(f"no layer of {patient.name} is open")
        if patient != self.current:
            # A first patient does not move the view of layers of other plugins.
            self._shown.switch_to(patient, fit=self.current is not None or self._shown.is_left)

    def leave(self) -> None:
        """Make no patient active until files have been read, or the user chooses one.

        Keys that are pressed for the patient who is being opened then act on no other one.
        """
        self._shown.leave()

    def adopt(self, layers: Iterable[Layer], patient: Patient) -> None:
        """Assign layers to a patient, and make it active without moving the view."""
        for layer in layers:
            assign(layer, patient)
        self.arrivals.release(patient)
        self._follow_layers()
        with self._drawing_errors:
            if patient != self.current:
                self._views.forget(patient)
                self._shown.switch_to(patient, fit=False)
            else:
                self._shown.show_again()
            self.patients_changed.emit()
            self.reassigned.emit()

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Context in which layers are added or shown without making their patient active.

        Layers of other patients become visible when their patient is made active.
        """
        selected = list(self._layers.selection)
        self._background += 1
        try:
            yield
        finally:
            self._background -= 1
            self._views.restore_selection(selected, self._hidden)

    def _on_inserted(self, event: Any) -> None:
        with self._drawing_errors:
            self._add(event.value)

    def insert_arriving(self, layer: Layer) -> None:
        """Insert a layer of files that are being read; it is selected if it is shown.

        A new patient is neither shown nor listed before `finish_arrivals`.
        """
        viewer = self._viewer()
        assert viewer is not None
        with self._drawing_errors:
            # A selection would draw the window again.
            with self.arrivals.one(), selection_untouched(viewer):
                self._layers.insert(self._index_for(layer), layer)
            if layer not in self._hidden:
                select(viewer, [layer])

    def _index_for(self, layer: Layer) -> int:
        """Index of an arriving layer: on top, if it is or may become the active patient's."""
        if joins_by_name(layer) or patient_of(layer) == self.current:
            return len(self._layers)
        return self._hidden.index_below_shown(self._layers)

    def finish_arrivals(self) -> None:
        """List the patients whose files have been read; that of the last layer becomes active."""
        patient = self.arrivals.last_patient
        last, viewer = self.arrivals.finish(), self._viewer()
        self._follow_layers()
        with self._drawing_errors:
            if patient is not None and patient in self._opened:
                self.activate(patient)
                if last in self._layers and viewer is not None:
                    shown = [x for x in self.layers if x.visible]
                    select(viewer, [last if last in shown or not shown else shown[-1]])
            self.patients_changed.emit()

    def awaits(self, layer: Layer) -> bool:
        """Whether a layer is of a patient whose files are still being read."""
        return self.arrivals.holds(patient_of(layer))

    def is_shown(self, layer: Layer) -> bool:
        """Whether a layer is visible, or will be when its patient is active."""
        return self._hidden.is_visible(layer)

    def set_shown(self, layer: Layer, shown: bool) -> None:
        """Show or hide a layer, now or when its patient is active."""
        self._hidden.set_visible(layer, shown)

    def _add(self, layer: Layer) -> None:
        """Follow a layer that is new in the viewer, and show its patient if it is to be active."""
        self._activation_by_visibility.follow(layer)
        guard_undo(layer, self._refuse_edit)
        self._new.add(layer)
        patient = self._join_patient(layer)
        stays = bool(self._background) or role_of(layer) is None
        if self.arrivals.adding:
            self.arrivals.add(layer, is_new=patient not in self._opened)
        elif patient is not None and not stays:
            self.arrivals.release(patient)  # it is opened a second time, at once
        arrives = self.arrivals.adding or self.awaits(layer)
        self._follow_layers()
        if patient is None:
            return
        if self.current is not None and self.current not in self._opened:
            # The active patient's only labels have joined their images.
            self.arrivals.release(patient)
            self._shown.switch_to(patient, fit=not stays)
        elif (
            patient == self.current or arrives or (stays and (self.current or self._shown.is_left))
        ):
            self._shown.show_again()
        else:
            self.activate(patient)
        self.patients_changed.emit()

    def _join_patient(self, layer: Layer) -> Patient | None:
        """Let a new layer join its patient, and say what the user may not expect of that."""
        active = self.arrivals.patient_of_unnamed if self.arrivals.adding else self.current
        is_assumed = join_patient(layer, list(self._layers), active)
        patient = patient_of(layer)
        if patient is None:
            return None
        if is_assumed:
            self._explanations.explain_assumed_patient(layer, patient)
        if patient not in self._opened:
            self._explanations.explain_kept_apart(layer, self._layers, patient)
        return patient

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        self._activation_by_visibility.release(layer)
        release_undo(layer)
        with self._drawing_errors:
            with self._drawing_errors.kept():
                self._hidden.release(layer)
            self._new.remove(layer, self._layers)
            if patient_of(layer) is not None:
                self._on_fewer()

    def _on_fewer(self) -> None:
        """A patient has a layer less, and is closed if that was its last."""
        self._follow_layers()
        if self.current is not None and self.current not in self._opened:
            self._shown.replace_closed(self._views.last or self._opened.last)
        self.patients_changed.emit()

    def _on_unassigned(self) -> None:
        with self._drawing_errors:
            self._on_fewer()
            self._shown.show_again()
            self.reassigned.emit()

    def _follow_layers(self) -> None:
        """Forget closed patients, whose last layers were removed, and append new ones."""
        self._new.follow(self._layers)
        for patient in self._opened.update():
            self.messages.remove(patient)
        self._views.keep_only(list(self._opened))

    def _stays_hidden(self, patient: Patient) -> bool:
        return bool(self._background) or self.arrivals.holds(patient)

    def _activate_if_open(self, patient: Patient) -> None:
        if patient in self._opened:
            self.activate(patient)

    def _name_layers(self) -> None:
        name_by_titles(self._layers, titles(self.patients))

    def _refuse_edit(self, layer: Layer) -> None:
        self._explanations.explain_refused_edit(layer, self.current)


@one_per_viewer
def active_patient(viewer: ViewerModel) -> ActivePatient:
    """The active patient of a viewer; all calls for a viewer return the same object."""
    return ActivePatient(viewer)
