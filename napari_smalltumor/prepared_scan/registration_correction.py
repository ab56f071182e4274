"""Corrects the registration of a sequence by hand: preview, what was moved, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITY_TITLES, modality_titles
from smalltumor.geometry.grid import Affine
from smalltumor.scanner.preparation.correction import Correction
from smalltumor.scanner.registration.motion import moved_matrix, rigid_motion

from napari_smalltumor import notify
from napari_smalltumor.layers.patient import patient_of_shown_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.prepared_scan.figures import ORDER, correction_text, motion_text
from napari_smalltumor.prepared_scan.preview import Preview
from napari_smalltumor.prepared_scan.unapplied_motions import (
    UnappliedMotion,
    stored_matrix,
    unapplied_motions,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from smalltumor.scanner.prepared.prepared_case import PreparedCase

    from napari_smalltumor.prepared_scan.registration_controls import RegistrationControls
    from napari_smalltumor.prepared_scan.scan_layers import ScanLayers


class RegistrationCorrection(QObject):
    """Connects the controls with the preview and with the registrations of a case.

    Parameters
    ----------
    viewer : ViewerModel
    controls : RegistrationControls
    parent : QObject
    """

    requested = Signal(object)
    """Emitted with a `Correction` that the user wants to be stored."""
    refused = Signal(str)
    """Emitted with the reason why there is nothing to store."""

    def __init__(
        self, viewer: ViewerModel, controls: RegistrationControls, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._controls = controls
        self._viewer = viewer
        self._motions = unapplied_motions(viewer)
        self._preview = Preview(viewer, self)
        self._is_suspended = False
        self._layers: ScanLayers | None = None
        self._prepared: PreparedCase | None = None
        controls.sequence_changed.connect(self._on_sequence)
        controls.changed.connect(self._on_changed)
        controls.apply_button.clicked.connect(self.apply)
        controls.automatic_button.clicked.connect(self.return_to_automatic)

    @property
    def busy(self) -> bool:
        """Whether an image is being moved."""
        return self._preview.busy

    def show(self, layers: ScanLayers, prepared: PreparedCase) -> None:
        """List the sequences of a case, and show the motion of one as it was left."""
        is_other = self._layers is None
        self._layers, self._prepared = layers, prepared
        others = [m for m in ORDER if m in prepared.sequences and m != REFERENCE]
        left = [m for m in others if m in self._unapplied()] if is_other else []
        self._controls.show_sequences(others, next(iter(left), None))
        self._on_sequence()

    def follow(self, layers: ScanLayers) -> None:
        """Move other layers of the same case, because some were removed or opened again."""
        self._layers = layers

    def suspend(self) -> None:
        """Show the images as they are stored until `resume`; the motions are kept."""
        self._is_suspended = True
        self._preview.end()

    def resume(self) -> None:
        """Show the motion of the sequence again."""
        self._is_suspended = False
        self._show_motion()

    def leave(self) -> None:
        """Show the images of the case as they are stored, and say what of it is not applied."""
        self._preview.end()
        layers, prepared = self._layers, self._prepared
        self._layers = self._prepared = None
        if layers is None or prepared is None:
            return
        patients = active_patient(self._viewer)
        patient = patient_of_shown_case(self._viewer.layers, layers.case)
        left = self._motions.of(layers.case, prepared)
        if left and patient in patients.patients and patient != patients.current:
            text = (
                f"{patients.title_of(patient)}: the registration of {modality_titles(left)} by "
                "hand is not applied. It is kept until the patient is closed."
            )
            notify.info(patients.messages.about(patient, text))

    def apply(self) -> None:
        """Request to store the sequence as it is shifted and turned."""
        modality, prepared = self._controls.modality, self._prepared
        if modality is None or prepared is None or not self._controls.moves:
            self.refused.emit("Shift or turn a sequence first.")
            return
        moved = moved_matrix(stored_matrix(prepared, modality), self._motion(prepared))
        self.requested.emit(Correction(matrices={modality: moved}))

    def return_to_automatic(self) -> None:
        """Request to store the sequence as it was registered automatically."""
        modality, prepared = self._controls.modality, self._prepared
        if modality is None or prepared is None:
            return
        automatic = prepared.sequences[modality].automatic
        if automatic is not None:
            self._controls.reset()
            self.requested.emit(Correction(matrices={modality: automatic}))

    def _on_sequence(self) -> None:
        """Show the motion of another sequence as it was left, or none."""
        motion = self._unapplied().get(self._controls.modality or "")
        if motion is None:
            self._controls.show_motion()
        else:
            self._controls.show_motion(motion.shift_mm, motion.degrees)
        self._show_motion()
        self._show_correction()

    def _on_changed(self) -> None:
        modality, layers, prepared = self._controls.modality, self._layers, self._prepared
        if modality is None or layers is None or prepared is None:
            return
        motion = UnappliedMotion(
            self._controls.shift_mm, self._controls.degrees, stored_matrix(prepared, modality)
        )
        self._motions.keep(layers.case, modality, motion if self._controls.moves else None)
        self._show_motion()

    def _unapplied(self) -> dict[str, UnappliedMotion]:
        if self._layers is None or self._prepared is None:
            return {}
        return self._motions.of(self._layers.case, self._prepared)

    def _show_correction(self) -> None:
        modality, prepared = self._controls.modality, self._prepared
        if modality is None or prepared is None:
            self._controls.show_correction("", can_return=False)
            return
        can_return = prepared.sequences[modality].automatic is not None
        self._controls.show_correction(correction_text(prepared, modality), can_return=can_return)

    def _motion(self, prepared: PreparedCase) -> Affine:
        controls = self._controls
        return rigid_motion(controls.shift_mm, controls.degrees, prepared.brain_centre)

    def _show_motion(self) -> None:
        """Show the sequence moved, unless that is suspended, and say that it is not applied."""
        self._controls.show_unapplied(_unapplied_text(self._unapplied()))
        modality, layers, prepared = self._controls.modality, self._layers, self._prepared
        if layers is None or prepared is None or modality is None or modality not in layers.images:
            return
        if self._controls.moves and not self._is_suspended:
            self._preview.show(layers, modality, self._motion(prepared))
        else:
            self._preview.end()


def _unapplied_text(motions: Mapping[str, UnappliedMotion]) -> str:
    return "\n".join(
        f"Not applied: {MODALITY_TITLES[modality]} {motion_text(motion.shift_mm, motion.degrees)}."
        for modality, motion in motions.items()
    )
