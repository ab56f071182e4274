"""Layers of a case that were removed while their patient is open, to be noticed and brought back.

These are ET, TC, WT and the images of a known modality. What else is kept of removed layers:

- `closed_patients`: all layers of a patient that was closed by removing them
- `opened_layers`: which layers were there, not the layers themselves
- `autosave.case_edits`: the data of edited masks, which outlast their layers in a file
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import ref

from psygnal import Signal
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.labels.regions import Region
from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.layers.create import STACKING
from napari_smalltumor.layers.masks.regions import region_index
from napari_smalltumor.layers.metadata import LayerKind, region_of, role_of
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import LayerList, ViewerModel
    from napari.layers import Layer

_TITLES: dict[str, str] = {
    **{region: region.name for region in Region},
    **{modality: MODALITY_TITLES[modality] for modality in reversed(STACKING)},
}
"""What a layer shows, for the user: regions first, then images."""


class RemovedLayers:
    """Keeps the removed regions and images of each patient until it is closed.

    Parameters
    ----------
    viewer : ViewerModel
    patients : ActivePatient
    """

    changed = Signal()
    """A layer was removed, or is there again."""
    patient_removed = Signal(object, object)
    """All layers of a patient were removed by the user: the patient, and its regions and images."""

    def __init__(self, viewer: ViewerModel, patients: ActivePatient) -> None:
        self._viewer, self._patients = ref(viewer), patients
        self._layers = viewer.layers
        self._removed: dict[Patient, dict[str, Layer]] = {}
        self._unreported: list[tuple[Patient, str, Layer]] = []
        self._open = set(patients.patients)
        self._last_closed: dict[Patient, list[Layer]] = {}
        self._closing = False
        self._layers.events.inserted.connect(self._on_inserted)
        self._layers.events.removed.connect(self._on_removed, position="last")
        patients.patients_changed.connect(self._forget_closed)
        self.changed.connect(patients.messages.remove_outdated)

    def of(self, patient: Patient | None) -> list[str]:
        """What the removed layers of a patient show, such as ``ET`` and ``T1CE``."""
        removed = self._removed.get(patient, {}) if patient is not None else {}
        return _titles_of(removed)

    @property
    def layers(self) -> list[Layer]:
        """The removed layers of all patients."""
        return [layer for layers in self._removed.values() for layer in layers.values()]

    def layers_of(self, patient: Patient) -> list[Layer]:
        """The removed layers of a patient."""
        return list(self._removed.get(patient, {}).values())

    def restore(self, patient: Patient) -> None:
        """Add the removed layers of a patient again, with their data and undo history."""
        for layer in self.layers_of(patient):
            with self._patients.in_background():
                self._layers.insert(index_of(layer, self._layers, patient), layer)

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Context in which the last layer of a patient is removed on purpose."""
        self._closing = True
        try:
            yield
        finally:
            self._closing = False

    def _on_removed(self, event: Any) -> None:
        layer, content, patient = event.value, _content_of(event.value), patient_of(event.value)
        if patient in self._last_closed and not self._closing:
            before = self._last_closed.pop(patient)
            self.patient_removed.emit(patient, before + [layer] * (content is not None))
        if content is None or patient is None or patient not in self._patients.patients:
            return
        self._removed.setdefault(patient, {})[content] = layer
        self._unreported.append((patient, content, layer))
        when_idle(self._report)  # when all that are removed together are gone
        self.changed.emit()

    def _on_inserted(self, event: Any) -> None:
        """Forget a removed layer when there is one again that shows the same."""
        content, patient = _content_of(event.value), patient_of(event.value)
        if content is not None and patient is not None:
            removed = self._removed.get(patient, {})
            if removed.pop(content, None) is not None:
                self.changed.emit()

    def _forget_closed(self) -> None:
        now = set(self._patients.patients)
        by_hand = set() if self._closing else self._open - now
        self._open = now
        self._last_closed = {patient: self.layers_of(patient) for patient in by_hand}
        closed = self._removed.keys() - now
        for patient in closed:
            del self._removed[patient]
        if closed:
            self.changed.emit()

    def _report(self) -> None:
        """Name the removed layers of patients that are still open."""
        unreported, self._unreported = self._unreported, []
        by_patient: dict[Patient, set[str]] = {}
        for patient, content, layer in unreported:
            if any(layer is kept for kept in self.layers_of(patient)):
                by_patient.setdefault(patient, set()).add(content)
        for patient, contents in by_patient.items():
            self._report_of(patient, contents)

    def _report_of(self, patient: Patient, contents: Container[str]) -> None:
        names = _titles_of(contents)
        were, them = ("was", "it") if len(names) == 1 else ("were", "them")
        title, was_active = self._patients.title_of(patient), patient == self._patients.current
        first = "Click" if was_active else f"Choose {title} and click"
        text = (
            f"{list_text(names)} of {title} {were} removed. {first} "
            f"Restore at the top of a Small Tumour dock to bring {them} back."
        )

        def holds(active: Patient | None) -> bool:
            is_removed = set(names) <= set(self.of(patient))
            return is_removed and (active == patient or not was_active)

        notify.warn(self._patients.messages.about(patient, text, holds))


def _titles_of(contents: Container[str]) -> list[str]:
    return [title for content, title in _TITLES.items() if content in contents]


def _content_of(layer: Layer) -> str | None:
    """The region or the modality that a layer shows; None for one that is not kept."""
    role = role_of(layer)
    if role is None:
        return None
    return role.modality if role.kind is LayerKind.IMAGE else role.region


def index_of(layer: Layer, layers: LayerList, patient: Patient) -> int:
    """Where a region or an image of a known modality lies among the layers of its patient."""
    own, region = layers_of_patient(layers, patient), region_of(layer)
    if region is not None:
        regions = {r: other for other in own if (r := region_of(other)) is not None}
        return region_index(layers, regions, region)
    below = STACKING[: STACKING.index(_content_of(layer))]
    lower = [layers.index(other) + 1 for other in own if _content_of(other) in below]
    return max(lower) if lower else min(map(layers.index, own), default=len(layers))


@one_per_viewer
def removed_layers(viewer: ViewerModel) -> RemovedLayers:
    """The removed layers of a viewer; all calls for a viewer return the same object."""
    return RemovedLayers(viewer, active_patient(viewer))
