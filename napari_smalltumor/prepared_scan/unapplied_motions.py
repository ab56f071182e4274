"""How sequences were shifted and turned by hand, as long as that is not applied.

A motion is kept for its case until it is applied or taken back, its registration is another one, or
the case is closed, which asks first. It returns with a case whose layers were removed by hand. No
other case gets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import ref

import numpy as np
from smalltumor.data.case import Case
from smalltumor.data.naming.case_files import modality_titles
from smalltumor.geometry.grid import Affine
from smalltumor.scanner.registration.motion import Triple

from napari_smalltumor.closing.unsaved_work import unsaved_work_of_docks
from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.layers.metadata import cases_among, same_case
from napari_smalltumor.layers.patient import Patient, layers_of_patient
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.removed.closed_patients import closed_patients
from napari_smalltumor.prepared_scan.figures import ORDER
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from smalltumor.scanner.prepared.prepared_case import PreparedCase


@dataclass(frozen=True, eq=False)
class UnappliedMotion:
    """A motion of a sequence against T1CE, see `rigid_motion`.

    Parameters
    ----------
    shift_mm, degrees : (3,) float
    registration : (4, 4) float64
        The matrix of the stored registration, on which the motion follows.
    """

    shift_mm: Triple
    degrees: Triple
    registration: Affine


class UnappliedMotions:
    """The motions of the open cases of a viewer that are not applied.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._motions: dict[Case, dict[str, UnappliedMotion]] = {}
        active_patient(viewer).patients_changed.connect(self._forget_later)
        unsaved_work_of_docks(viewer).append(self._unsaved_of)

    def of(self, case: Case, prepared: PreparedCase) -> dict[str, UnappliedMotion]:
        """The motions of a case, by modality, that follow on its stored registrations.

        The others are forgotten: a registration that is stored again later brings none back.
        """
        motions = self._motions.get(self._known(case), {})
        for modality, motion in list(motions.items()):
            if modality not in prepared.sequences or not np.allclose(
                stored_matrix(prepared, modality), motion.registration
            ):
                del motions[modality]
        return dict(motions)

    def keep(self, case: Case, modality: str, motion: UnappliedMotion | None) -> None:
        """Keep the motion of a sequence instead of that before; None: forget it."""
        motions = self._motions.setdefault(self._known(case), {})
        if motion is not None:
            motions[modality] = motion
        else:
            motions.pop(modality, None)

    def _known(self, case: Case) -> Case:
        """The object by which a case is known here; its files may have been opened again."""
        return next((known for known in self._motions if same_case(known, case)), case)

    def _unsaved_of(self, patient: Patient) -> list[str]:
        """What closing a patient would lose, as a sentence."""
        viewer = self._viewer()
        if viewer is None:
            return []
        patients, closed = active_patient(viewer), closed_patients(viewer)
        is_open = patient in patients.patients
        layers = layers_of_patient(viewer.layers, patient) if is_open else closed.layers_of(patient)
        motions = [self._motions.get(self._known(case), {}) for case in cases_among(layers)]
        moved = [modality for modality in ORDER if any(modality in each for each in motions)]
        if not moved:
            return []
        title = patients.title_of(patient) if is_open else closed.title_of(patient)
        return [
            f"The registration of {modality_titles(moved)} of {title} by hand is not applied, and "
            "will be lost."
        ]

    def _forget_later(self) -> None:
        """Forget motions when a patient whose layers were removed can be opened again."""
        when_idle(self._forget_closed)

    def _forget_closed(self) -> None:
        viewer = self._viewer()
        if viewer is None or not self._motions:
            return
        closed = closed_patients(viewer)
        kept = [layer for patient in closed.patients for layer in closed.layers_of(patient)]
        shown = cases_among([*viewer.layers, *kept])
        for known in list(self._motions):
            if not any(same_case(known, case) for case in shown):
                del self._motions[known]


def stored_matrix(prepared: PreparedCase, modality: str) -> Affine:
    """The matrix of the registration of a sequence as it is stored, (4, 4) float64."""
    found = prepared.sequences[modality].registration
    return np.eye(4) if found is None else found.matrix


@one_per_viewer
def unapplied_motions(viewer: ViewerModel) -> UnappliedMotions:
    """The motions of a viewer that are not applied; further calls return the same object."""
    return UnappliedMotions(viewer)
