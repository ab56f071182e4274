"""The active patient's name in the title of the viewer's window."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_smalltumor.patients.active_patient import ActivePatient


class WindowTitle:
    """Puts the active patient's name before the title that the viewer has otherwise.

    Parameters
    ----------
    viewer : ViewerModel
    patients : ActivePatient
    """

    def __init__(self, viewer: ViewerModel, patients: ActivePatient) -> None:
        self._viewer, self._patients = ref(viewer), patients
        self._base = self._shown = viewer.title
        patients.changed.connect(self._update)
        patients.patients_changed.connect(self._update)
        self._update()

    def _update(self) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        if viewer.title != self._shown:  # another program has changed it
            self._base = viewer.title
        name = self._patients.title
        self._shown = f"{name} – {self._base}" if name else self._base
        if viewer.title != self._shown:
            viewer.title = self._shown
