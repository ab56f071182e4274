"""The patient whose layers a viewer shows; those of all other patients are hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import ref

from napari_smalltumor.deferred_calls import in_next_turn
from napari_smalltumor.layers.drawing_errors import DrawingErrors
from napari_smalltumor.layers.editing.canvas_strokes import end_strokes
from napari_smalltumor.layers.patient import Patient, layers_of_patient
from napari_smalltumor.layers.selection import select
from napari_smalltumor.patients.switching.activation_by_visibility import ActivationByVisibility
from napari_smalltumor.patients.switching.hidden_layers import HiddenLayers
from napari_smalltumor.patients.switching.slice_range import SliceRange
from napari_smalltumor.patients.switching.view_state import ViewStates

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class ShownPatient:
    """Shows one patient, and another one in its place.

    Parameters
    ----------
    viewer : ViewerModel
    hidden : HiddenLayers
    activation_by_visibility : ActivationByVisibility
    views : ViewStates
        Of the viewer.
    changed : callable
        Called when another patient, or none, is shown.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        hidden: HiddenLayers,
        activation_by_visibility: ActivationByVisibility,
        views: ViewStates,
        changed: Callable[[], None],
    ) -> None:
        self._viewer, self._layers = ref(viewer), viewer.layers
        self._hidden, self._activation_by_visibility, self._views = (
            hidden,
            activation_by_visibility,
            views,
        )
        self._changed = changed
        self._slices = SliceRange(viewer, lambda: self.patient)
        self.drawing_errors = DrawingErrors()
        """All that changes what is shown is done within it, so that it is done to its end."""
        self.patient: Patient | None = None
        self.is_left = False
        """Whether no patient is shown because the user is to choose one, or files are read."""

    @property
    def layers(self) -> list[Layer]:
        """The layers of the patient, in layer order."""
        return layers_of_patient(self._layers, self.patient)

    def switch_to(self, patient: Patient, *, fit: bool) -> None:
        """Show a patient; `fit` moves the view to it if it was not shown before."""
        with self.drawing_errors:
            self._leave_view()
            self.patient, self.is_left = patient, False
            self.show_again()
            with self.drawing_errors.kept():
                self._slices.fit()  # before a slice of the patient is shown
            with self.drawing_errors.kept():
                self._views.restore(patient, self.layers, fit=fit)
            in_next_turn(lambda: self._views.select_none_of(self._hidden))
            self._changed()

    def leave(self) -> None:
        """Show no patient."""
        viewer = self._viewer()
        with self.drawing_errors:
            self._leave_view()
            self.patient, self.is_left = None, True
            self.show_again()
            if viewer is not None:
                select(viewer, [])
            self._changed()

    def replace_closed(self, before: Patient | None) -> None:
        """Show another patient, or none, in place of one whose last layer was removed."""
        self.patient = None
        if before is None:
            self._changed()
            return
        self.switch_to(before, fit=True)
        in_next_turn(lambda: self._views.select_at_most_one(self.layers))

    def show_again(self) -> None:
        """Show the layers of the patient, new ones too, and hide those of all others."""
        with self.drawing_errors, self.drawing_errors.kept():
            self._hidden.show_only(self._layers, self.patient)

    def _leave_view(self) -> None:
        with self.drawing_errors.kept():
            end_strokes(self.layers)  # while they are shown, so that regions are nested
        self._views.save(self.patient, self.layers)
        self._activation_by_visibility.forget()
