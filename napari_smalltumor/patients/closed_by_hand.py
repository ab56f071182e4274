"""Patients all of whose layers were removed in the layer list, to be opened again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_smalltumor import notify
from napari_smalltumor.layers.changed_images import are_of_same_images
from napari_smalltumor.layers.drawings import holds_drawing
from napari_smalltumor.layers.earlier_scan import is_earlier_scan
from napari_smalltumor.layers.metadata import LayerKind, cases_among, role_of
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of, titles
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.patients.deferred_calls import when_idle
from napari_smalltumor.patients.missing_layers import MissingLayers, index_of, missing_layers
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from smalltumor.data.case import Case

_KEPT = (LayerKind.IMAGE, LayerKind.REGION, LayerKind.EXPERT, LayerKind.LABELS)
"""What docks compute again, such as contours of a reference, is not kept."""


@dataclass(frozen=True)
class _Kept:
    """The layers of a closed patient.

    Parameters
    ----------
    together : list of Layer
        Those that were removed together with the last one, in their order.
    missed : list of Layer
        Its regions and images that were removed before.
    """

    together: list[Layer]
    missed: list[Layer]

    @property
    def drawings(self) -> list[Layer]:
        """Layers that the user drew and did not save."""
        return [layer for layer in self.together if holds_drawing(layer)]

    @property
    def case(self) -> Case | None:
        """What the images showed."""
        return _case_among((*self.together, *self.missed))


class ClosedByHand:
    """Keeps the layers of patients who were closed by hand.

    A patient is kept until it is opened again or dismissed. One without unsaved drawings is also
    forgotten when the files of another patient are opened: its files hold what is forgotten.

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
        self._patients, self._layers = patients, viewer.layers
        self._before: list[Layer] = []
        self._kept: dict[Patient, _Kept] = {}
        self._unreported: list[Patient] = []
        self._open = set(patients.patients)
        # First, when the layers of the patient are still those that are removed together.
        self._layers.events.removed.connect(self._on_removed, position="first")
        missing.closed_by_hand.connect(self._on_closed)
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

    def drawings_of(self, patient: Patient) -> list[str]:
        """Names of the layers of a closed patient that the user drew, and that are in no file."""
        kept = self._kept.get(patient)
        return [layer.name for layer in kept.drawings] if kept is not None else []

    def reopen(self, patient: Patient) -> None:
        """Add the layers of a patient again, with their data and undo history."""
        kept = self._kept.get(patient)
        if kept is None or self._patients.arrivals.holds(patient):  # its files are being read
            return
        shown = {layer: layer.visible for layer in (*kept.together, *kept.missed)}
        self._open.add(patient)  # so that the others can still be opened again
        self.dismiss(patient)
        for layer in kept.together:
            self._layers.append(layer)
        for layer in kept.missed:
            self._layers.insert(index_of(layer, self._layers, patient), layer)
        for layer, visible in shown.items():
            self._patients.set_shown(layer, visible)

    def dismiss(self, patient: Patient) -> None:
        """Forget the layers of a closed patient."""
        if self._kept.pop(patient, None) is not None:
            self._patients.messages.remove(patient)
            self.changed.emit()

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
        together = [x for x in self._before if patient_of(x) == patient and _is_kept(x)]
        missed = [x for x in missed if x not in together and _is_kept(x)]
        self._kept[patient] = _Kept(together, missed)
        self._unreported.append(patient)
        when_idle(self._report)  # when all patients that are closed together are gone
        self.changed.emit()

    def _report(self) -> None:
        """Name all closed patients in one message, which takes the place of the one before."""
        unreported, self._unreported = self._unreported, []
        if not any(patient in self._kept for patient in unreported):  # a layer was replaced
            return
        *others, last = (self.title_of(patient) for patient in self._kept)
        one, names = not others, f"{', '.join(others)} and {last}" if others else last
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
            if patient in opened or not kept.drawings:
                self.dismiss(patient)
            if patient in opened and kept.drawings:
                when_idle(partial(self._bring_back, patient, kept))

    def _bring_back(self, patient: Patient, kept: _Kept) -> None:
        """Add drawn layers to their patient, whose files were opened again with the same images."""
        before, now = kept.case, _case_among(layers_of_patient(self._layers, patient))
        if before is None or now is None or not are_of_same_images(before, now):
            names, title = [layer.name for layer in kept.drawings], self.title_of(patient)
            were = "was" if len(names) == 1 else "were"
            text = (
                f"{' and '.join(names)} {were} not brought back: the files of {title} hold other "
                "images than those on which you drew."
            )
            notify.warn(self._patients.messages.about(patient, text))
            return
        with self._patients.in_background():
            for layer in kept.drawings:
                if layer not in self._layers:
                    self._layers.append(layer)


def _case_among(layers: Iterable[Layer]) -> Case | None:
    return next(cases_among(layers), None)


def _is_kept(layer: Layer) -> bool:
    role = role_of(layer)
    return (role is None or role.kind in _KEPT) and not is_earlier_scan(layer)


@one_per_viewer
def closed_by_hand(viewer: ViewerModel) -> ClosedByHand:
    """The closed patients of a viewer; all calls for a viewer return the same object."""
    return ClosedByHand(viewer, active_patient(viewer), missing_layers(viewer))
