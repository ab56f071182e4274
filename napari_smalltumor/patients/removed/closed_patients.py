"""Patients all of whose layers were removed in the layer list, to be opened again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.deferred_calls import in_next_turn, when_idle
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of, titles
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.patients.removed.closed_layers import ClosedLayers, case_among
from napari_smalltumor.patients.removed.removed_layers import (
    RemovedLayers,
    index_of,
    removed_layers,
)
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class ClosedPatients:
    """Keeps the layers of patients who were closed by hand.

    A patient is kept until it is opened again or dismissed. One without drawings and edits that are
    in no file is also forgotten when the files of another patient are opened.

    Parameters
    ----------
    viewer : ViewerModel
    patients : ActivePatient
    removed : RemovedLayers
    """

    changed = Signal()
    """A patient can be opened again, or no longer."""

    def __init__(
        self, viewer: ViewerModel, patients: ActivePatient, removed: RemovedLayers
    ) -> None:
        self._patients, self._layers = patients, viewer.layers
        self._before: list[Layer] = []
        self._kept: dict[Patient, list[ClosedLayers]] = {}
        self._lost_edits: Callable[[Iterable[Layer]], list[str]] = lambda _: []
        self._unreported: list[Patient] = []
        self._open = set(patients.patients)
        # First, when the layers of the patient are still those that are removed together.
        self._layers.events.removed.connect(self._on_removed, position="first")
        removed.patient_removed.connect(self._on_closed)
        patients.patients_changed.connect(self._on_patients_changed)

    @property
    def patients(self) -> list[Patient]:
        """The patients that can be opened again, in the order in which they were closed."""
        return list(self._kept)

    def title_of(self, patient: Patient) -> str:
        """Name of a closed patient, with its folder if another one has or had the same name."""
        return titles(list(dict.fromkeys([*self._patients.patients, *self._kept, patient])))[
            patient
        ]

    def keep_edits(self, lost: Callable[[Iterable[Layer]], list[str]]) -> None:
        """Keep patients whose edits are in no file.

        Parameters
        ----------
        lost : callable
            Names the layers, among those of a closed patient, whose edits are in no file.
        """
        self._lost_edits = lost

    def layers_of(self, patient: Patient) -> list[Layer]:
        """The layers of a closed patient, of each time that it was closed."""
        return [
            x
            for kept in self._kept.get(patient, ())
            for x in (*kept.together, *kept.removed_before)
        ]

    def unsaved_of(self, patient: Patient) -> list[str]:
        """Names of the layers of a closed patient that hold drawings or edits in no file."""
        return [name for kept in self._kept.get(patient, ()) for name in self._unsaved(kept)]

    def reopen(self, patient: Patient) -> None:
        """Add the layers of a patient that were closed last, with their data and undo history.

        Those of a patient that was opened from its files meanwhile are added if they fit these.
        """
        if patient not in self._kept or self._patients.arrivals.holds(patient):  # is being read
            return
        if patient in self._patients.patients:
            self._bring_back(patient)
            return
        kept = self._kept[patient][-1]
        shown = {layer: layer.visible for layer in (*kept.together, *kept.removed_before)}
        self._open.add(patient)  # so that the others can still be opened again
        self._keep(patient, self._kept[patient][:-1])
        for layer in kept.together:
            self._layers.append(layer)
        for layer in kept.removed_before:
            self._layers.insert(index_of(layer, self._layers, patient), layer)
        for layer, visible in shown.items():
            self._patients.set_shown(layer, visible)

    def dismiss(self, patient: Patient) -> None:
        """Forget the layers of a closed patient."""
        self._keep(patient, [])

    def _keep(self, patient: Patient, kept: list[ClosedLayers]) -> None:
        """Keep these layers of a patient, each time that it was closed; none: forget it."""
        before = self._kept.get(patient, [])
        if kept == before:
            return
        if kept:
            self._kept[patient] = kept
        else:
            del self._kept[patient]
        self._patients.messages.remove(patient)
        self.changed.emit()

    def _unsaved(self, kept: ClosedLayers) -> list[str]:
        drawn = [layer.name for layer in kept.drawings]
        return drawn + self._lost_edits((*kept.together, *kept.removed_before))

    def _on_removed(self, event: Any) -> None:
        """Remember the order of the layers before the first of those that are removed together."""
        if not self._before:
            self._before = list(self._layers)
            self._before.insert(event.index, event.value)
            in_next_turn(self._before.clear)

    def _on_closed(self, patient: Patient, removed_before: list[Layer]) -> None:
        """Keep the layers that were removed together, and regions and images from before.

        Parameters
        ----------
        patient : Patient
        removed_before : list of Layer
            Its regions and images of a known modality.
        """
        together = [layer for layer in self._before if patient_of(layer) == patient]
        kept = ClosedLayers.of(together, removed_before)
        self._kept.setdefault(patient, []).append(kept)
        self._unreported.append(patient)
        when_idle(self._report)  # when all patients that are closed together are gone
        self.changed.emit()

    def _report(self) -> None:
        """Name all closed patients in one message, which takes the place of the one before."""
        unreported, self._unreported = self._unreported, []
        if not any(patient in self._kept for patient in unreported):  # a layer was replaced
            return
        one, names = len(self._kept) == 1, list_text(map(self.title_of, self._kept))
        were, them = ("patient was", "them") if one else ("patients were", "the layers of each")
        text = (
            f"All layers of {names} were removed, so the {were} closed. Click Open "
            f"{names if one else '...'} again at the top of a Small Tumour dock to bring {them} "
            "back."
        )
        for patient in self._kept:
            self._patients.messages.remove(patient)
            self._patients.messages.about(patient, text)
        notify.warn(text)

    def _on_patients_changed(self) -> None:
        """Forget closed patients when a patient is opened; its own drawings return with it."""
        now = set(self._patients.patients)
        opened, self._open = now - self._open, now
        if not opened:
            return
        for patient, kept in list(self._kept.items()):
            self._keep(patient, [layers for layers in kept if self._unsaved(layers)])
            if patient in opened and patient in self._kept:
                when_idle(partial(self._bring_back, patient))

    def _bring_back(self, patient: Patient) -> None:
        """Add drawn layers to their patient, whose files were opened again with the same images."""
        now = case_among(layers_of_patient(self._layers, patient))
        kept = self._kept.get(patient, [])
        same = [layers.is_of_images_of(now) for layers in kept]
        with self._patients.in_background():
            for layers, is_same in zip(kept, same, strict=True):
                for layer in layers.drawings:
                    if is_same and layer not in self._layers:
                        self._layers.append(layer)
        rest = [layers.without(self._layers) for layers in kept]
        unsaved = [self._unsaved(layers) for layers in rest]
        self._keep(patient, [layers for layers, names in zip(rest, unsaved, strict=True) if names])
        for names, is_same in zip(unsaved, same, strict=True):
            if names:
                text = _not_brought_back_text(names, self.title_of(patient), is_same=is_same)
                notify.warn(self._patients.messages.about(patient, text))


def _not_brought_back_text(names: list[str], title: str, *, is_same: bool) -> str:
    """Why layers of a patient that is open did not return, and how they do."""
    were, them = ("was", "it") if len(names) == 1 else ("were", "them")
    reason = (
        f"{title} was opened from its files, without these edits"
        if is_same
        else f"the files of {title} hold other images than those on which you drew"
    )
    return (
        f"{list_text(names)} {were} not brought back: {reason}. To bring {them} back, close "
        f"{title}, and click Open {title} again at the top of a Small Tumour dock."
    )


@one_per_viewer
def closed_patients(viewer: ViewerModel) -> ClosedPatients:
    """The closed patients of a viewer; all calls for a viewer return the same object."""
    return ClosedPatients(viewer, active_patient(viewer), removed_layers(viewer))
