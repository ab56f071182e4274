"""A patient all of whose layers were removed in the layer list, to be opened again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from psygnal import Signal

from napari_smalltumor import notify
from napari_smalltumor.layers.earlier_scan import is_earlier_scan
from napari_smalltumor.layers.metadata import LayerKind, role_of
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.patients.deferred_calls import when_idle
from napari_smalltumor.patients.missing_layers import MissingLayers, index_of, missing_layers
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_KEPT = (LayerKind.IMAGE, LayerKind.REGION, LayerKind.EXPERT, LayerKind.LABELS)
"""What docks compute again, such as contours of a reference, is not kept."""


class ClosedByHand:
    """Keeps the layers of the patient that was closed by hand last, until another one is opened.

    Parameters
    ----------
    viewer : ViewerModel
    patients : ActivePatient
    missing : MissingLayers
    """

    changed = Signal()
    """A patient can be opened again, or no longer."""

    def __init__(
        self, viewer: ViewerModel, patients: ActivePatient, missing: MissingLayers
    ) -> None:
        self._viewer, self._patients = ref(viewer), patients
        self._layers = viewer.layers
        self._before: list[Layer] = []
        self._patient: Patient | None = None
        self._together: list[Layer] = []
        self._missed: list[Layer] = []
        self._open: set[Patient] = set()
        # First, when the layers of the patient are still those that are removed together.
        self._layers.events.removed.connect(self._on_removed, position="first")
        missing.closed_by_hand.connect(self._on_closed)
        patients.patients_changed.connect(self._forget)

    @property
    def patient(self) -> Patient | None:
        """The patient that can be opened again."""
        return self._patient

    def reopen(self) -> None:
        """Add the layers of the patient again, with their data and undo history."""
        patient, together, missed = self._patient, self._together, self._missed
        if patient is None:
            return
        shown = {layer: layer.visible for layer in (*together, *missed)}
        self._drop()
        for layer in together:
            self._layers.append(layer)
        for layer in missed:
            self._layers.insert(index_of(layer, self._layers, patient), layer)
        for layer, visible in shown.items():
            self._patients.set_shown(layer, visible)

    def _on_removed(self, event: Any) -> None:
        """Remember the order of the layers before the first of those that are removed together."""
        if not self._before:
            self._before = list(self._layers)
            self._before.insert(event.index, event.value)
            when_idle(self._before.clear)

    def _on_closed(self, patient: Patient, missed: list[Layer]) -> None:
        """Keep the layers that were removed together, and regions and images from before.

        Parameters
        ----------
        patient : Patient
        missed : list of Layer
            Its regions and images of a known modality.
        """
        if self._patient is not None:  # only the last one can be opened again
            self._patients.messages.remove(self._patient)
        self._patient = patient
        self._together = [x for x in self._before if patient_of(x) == patient and _is_kept(x)]
        self._missed = [x for x in missed if x not in self._together and _is_kept(x)]
        self._open = set(self._patients.patients)
        when_idle(partial(self._report, patient, self._patients.title_of(patient)))
        self.changed.emit()

    def _report(self, patient: Patient, title: str) -> None:
        if self._patient == patient:  # no layer was replaced
            text = (
                f"All layers of {title} were removed, so the patient was closed. Click Open "
                f"{title} again at "
                "the top of a Small Tumour dock to bring them back."
            )
            notify.warn(self._patients.messages.about(patient, text))

    def _forget(self) -> None:
        """Forget the closed patient when a patient is opened, also if it is the same."""
        if self._patient is not None and not set(self._patients.patients) <= self._open:
            self._drop()

    def _drop(self) -> None:
        if self._patient is not None:
            self._patients.messages.remove(self._patient)
        self._patient, self._together, self._missed = None, [], []
        self.changed.emit()


def _is_kept(layer: Layer) -> bool:
    role = role_of(layer)
    return (role is None or role.kind in _KEPT) and not is_earlier_scan(layer)


@one_per_viewer
def closed_by_hand(viewer: ViewerModel) -> ClosedByHand:
    """The closed patient of a viewer; all calls for a viewer return the same object."""
    return ClosedByHand(viewer, active_patient(viewer), missing_layers(viewer))
