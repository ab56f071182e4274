"""Corrects the registration of a sequence by hand: preview, what was moved, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal
from smalltumor.data.case import REFERENCE
from smalltumor.geometry.grid import Affine
from smalltumor.scanner.preparation.correction import Correction
from smalltumor.scanner.preparation.motion import moved_matrix, rigid_motion

from napari_smalltumor.prepared_scan.figures import ORDER, correction_text
from napari_smalltumor.prepared_scan.preview import Preview

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from smalltumor.scanner.preparation.prepared_case import PreparedCase

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
        self._preview = Preview(viewer, self)
        self._layers: ScanLayers | None = None
        self._prepared: PreparedCase | None = None
        controls.sequence_changed.connect(self._on_sequence)
        controls.changed.connect(self._show_motion)
        controls.apply_button.clicked.connect(self.apply)
        controls.automatic_button.clicked.connect(self.return_to_automatic)

    @property
    def busy(self) -> bool:
        """Whether an image is being moved."""
        return self._preview.busy

    def show(self, layers: ScanLayers, prepared: PreparedCase) -> None:
        """List the sequences of a case that can be moved."""
        self._layers, self._prepared = layers, prepared
        others = [m for m in ORDER if m in prepared.sequences and m != REFERENCE]
        self._controls.show_sequences(others)
        self._show_correction()

    def follow(self, layers: ScanLayers) -> None:
        """Move other layers of the same case, because some were removed or opened again."""
        self._layers = layers

    def end(self) -> None:
        """Show the images as they are stored."""
        self._controls.reset()
        self._preview.end()

    def apply(self) -> None:
        """Request to store the sequence as it is shifted and turned."""
        modality, prepared = self._controls.modality, self._prepared
        if modality is None or prepared is None or not self._controls.moves:
            self.refused.emit("Shift or turn a sequence first.")
            return
        found = prepared.sequences[modality].registration
        matrix = np.eye(4) if found is None else found.matrix
        moved = moved_matrix(matrix, self._motion(prepared))
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
        self._controls.reset()
        self._show_correction()

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
        modality, layers, prepared = self._controls.modality, self._layers, self._prepared
        if layers is None or prepared is None or modality is None or modality not in layers.images:
            return
        if self._controls.moves:
            self._preview.show(layers, modality, self._motion(prepared))
        else:
            self._preview.end()
