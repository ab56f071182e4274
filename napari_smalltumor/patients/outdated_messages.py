"""Messages that ask for what the user has done meanwhile are removed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.patients.removed.missing_layers import missing_layers
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel


class OutdatedMessages:
    """Removes them when another patient becomes active, or layers come or go.

    Parameters
    ----------
    viewer : ViewerModel
    patients : ActivePatient
    """

    def __init__(self, viewer: ViewerModel, patients: ActivePatient) -> None:
        self._patients = ref(patients)
        patients.changed.connect(self._remove)
        patients.patients_changed.connect(self._remove)
        missing_layers(viewer).changed.connect(self._remove)

    def _remove(self) -> None:
        patients = self._patients()
        if patients is not None:
            patients.messages.remove_outdated(patients.current)


@one_per_viewer
def ensure_outdated_messages_removed(viewer: ViewerModel) -> OutdatedMessages:
    """Remove outdated messages from now on; further calls return the same object."""
    return OutdatedMessages(viewer, active_patient(viewer))
