"""Region layers that were removed while their patient is open, to be noticed and brought back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from psygnal import Signal
from smalltumor.labels.regions import Region

from napari_smalltumor import notify
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.layers.regions import region_index
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels


class MissingRegions:
    """Keeps the removed region layers of each patient until it is closed.

    Parameters
    ----------
    viewer : ViewerModel
    patients : ActivePatient
    """

    changed = Signal()
    """A region layer was removed, or is there again."""

    def __init__(self, viewer: ViewerModel, patients: ActivePatient) -> None:
        self._viewer, self._patients = ref(viewer), patients
        self._layers = viewer.layers
        self._removed: dict[Patient, dict[Region, Labels]] = {}
        self._unreported: list[tuple[Patient, Labels]] = []
        self._layers.events.inserted.connect(self._on_inserted)
        self._layers.events.removed.connect(self._on_removed, position="last")
        patients.patients_changed.connect(self._forget_closed)

    def of(self, patient: Patient | None) -> list[Region]:
        """The regions of a patient whose layers were removed."""
        return sorted(self._removed.get(patient, {})) if patient is not None else []

    def restore(self, patient: Patient) -> None:
        """Add the removed region layers of a patient again, with their data and undo history."""
        for region, layer in list(self._removed.get(patient, {}).items()):
            existing = {
                r: other
                for other in self._layers
                if patient_of(other) == patient and (r := region_of(other)) is not None
            }
            with self._patients.in_background():
                self._layers.insert(region_index(self._layers, existing, region), layer)

    def _on_removed(self, event: Any) -> None:
        layer, region, patient = event.value, region_of(event.value), patient_of(event.value)
        if region is None or patient is None or patient not in self._patients.patients:
            return
        self._removed.setdefault(patient, {})[region] = layer
        self._unreported.append((patient, layer))
        _when_idle(self._report)
        self.changed.emit()

    def _on_inserted(self, event: Any) -> None:
        """Forget a removed layer when its region has a layer again."""
        region, patient = region_of(event.value), patient_of(event.value)
        if region is not None and patient is not None:
            removed = self._removed.get(patient, {})
            if removed.pop(region, None) is not None:
                self.changed.emit()

    def _forget_closed(self) -> None:
        closed = self._removed.keys() - set(self._patients.patients)
        for patient in closed:
            del self._removed[patient]
        if closed:
            self.changed.emit()

    def _report(self) -> None:
        """Name the removed layers of patients that are still open."""
        unreported, self._unreported = self._unreported, []
        by_patient: dict[Patient, list[str]] = {}
        for patient, layer in unreported:
            if layer in self._removed.get(patient, {}).values():
                by_patient.setdefault(patient, []).append(_region_name(layer))
        for patient, names in by_patient.items():
            were, them = ("was", "it") if len(names) == 1 else ("were", "them")
            title = self._patients.title_of(patient)
            notify.warn(
                f"{' and '.join(names)} of {title} {were} removed. Click "
                f"Restore at the top of a Small Tumour dock to bring {them} back."
            )


def _region_name(layer: Labels) -> str:
    region = region_of(layer)
    assert region is not None
    return region.name


def _when_idle(call: Callable[[], None]) -> None:
    """Call a function when all layers that are removed together are gone."""
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    if QApplication.instance() is None:
        call()
    else:
        QTimer.singleShot(0, call)


_MISSING: WeakKeyDictionary[ViewerModel, MissingRegions] = WeakKeyDictionary()


def missing_regions(viewer: ViewerModel) -> MissingRegions:
    """The removed region layers of a viewer; all calls for a viewer return the same object."""
    viewer = unproxied(viewer)
    if viewer not in _MISSING:
        _MISSING[viewer] = MissingRegions(viewer, active_patient(viewer))
    return _MISSING[viewer]
