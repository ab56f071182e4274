"""The Prepared scan dock: how well a scan was prepared, and its corrections."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QFileDialog
from smalltumor.data.case import REFERENCE
from smalltumor.errors import SmalltumorError
from smalltumor.geometry.grid import Affine
from smalltumor.scanner.preparation.correction import Correction
from smalltumor.scanner.preparation.motion import moved_matrix, rigid_motion
from smalltumor.scanner.preparation.prepare import PreparedCase
from smalltumor.scanner.preparation.stored_case import stored_case
from superqt.utils import QSignalDebouncer

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.layers.brain_mask import mask_of_layer
from napari_smalltumor.loading.dropping import accept_drops
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.view_state import select
from napari_smalltumor.prepared_scan.figures import ORDER, figures_of, summary_of
from napari_smalltumor.prepared_scan.job import CorrectionJob
from napari_smalltumor.prepared_scan.panel import NOT_PREPARED, PreparedScanPanel
from napari_smalltumor.prepared_scan.preview import Preview
from napari_smalltumor.prepared_scan.scan_layers import ScanLayers, scan_layers
from napari_smalltumor.prepared_scan.whole_head import WholeHead
from napari_smalltumor.progress_worker import ProgressWorker, start
from napari_smalltumor.scanner.known_scans import forget_scan, remember_scan, scan_of
from napari_smalltumor.widgets.dock_tabs import show_as_tab

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

_DEBOUNCE_MS = 50
_BRUSH_SIZE = 10


class PreparedScanDock(PreparedScanPanel):
    """Connects the panel with the layers of the active patient and the files of its case.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(PatientHeader(napari_viewer))
        self._viewer = napari_viewer
        self._patients = active_patient(napari_viewer)
        self._layers: ScanLayers | None = None
        self._prepared: PreparedCase | None = None
        self._worker: ProgressWorker | None = None
        self._preview = Preview(self)
        self._autosave = ensure_autosave(napari_viewer).autosave
        self._head = WholeHead(self, napari_viewer)
        self._soon = QSignalDebouncer(parent=self)
        self._soon.setTimeout(_DEBOUNCE_MS)
        self._soon.triggered.connect(self.update_figures)
        for signal in (self._patients.changed, self._patients.patients_changed):
            signal.connect(self._on_change)
        self.destroyed.connect(partial(_disconnect, ref(self)))
        self.edit_button.toggled.connect(self.paint_brain_mask)
        self.apply_mask_button.clicked.connect(self.apply_brain_mask)
        self.nudge.sequence_changed.connect(self.nudge.reset)
        self.nudge.changed.connect(self._show_motion)
        self.nudge.apply_button.clicked.connect(self.apply_registration)
        self.cancel_button.clicked.connect(self.cancel)
        show_as_tab(self, "Prepared scan")
        accept_drops(self, napari_viewer)
        self.update_figures()

    @property
    def busy(self) -> bool:
        """Whether a correction is being applied or previewed."""
        return self._worker is not None or self._preview.busy or self._head.busy

    def update_figures(self) -> None:
        """Follow the active patient."""
        found = scan_layers(self._viewer)
        same = found is not None and self._layers is not None and found.case is self._layers.case
        if same and self._prepared is not None:
            if not self._has_same_layers(found):
                self._layers = found
            return
        self._end_editing()
        self._layers, self._prepared = found, None
        try:
            self._prepared = stored_case(found.case) if found is not None else None
        except SmalltumorError as error:
            self.show_explanation(notify.error_text(error))
            return
        if self._prepared is None:
            self.show_explanation(NOT_PREPARED)
        else:
            self._show(self._prepared)

    def paint_brain_mask(self, painting: bool = True) -> None:
        """Show the brain mask on the whole head and take the brush, or put it down."""
        layers, prepared = self._layers, self._prepared
        layer = layers.brain if layers is not None else None
        if not painting:
            self._head.hide()
            if layer is not None:
                layer.mode = "pan_zoom"
            self.show_message("")
            return
        if layers is None or layer is None or prepared is None:
            self.edit_button.setChecked(False)
            notify.error("The brain mask was removed. Open the case again to paint it.")
            return
        self.nudge.reset()
        scan = self._scan(layers)
        if scan is not None:
            self._head.show(layers, prepared, scan)
        layer.visible = True
        layer.contour = 1
        select(self._viewer, [layer])
        layer.selected_label = 1
        layer.brush_size = _BRUSH_SIZE
        layer.n_edit_dimensions = 2
        layer.mode = "paint"
        self.show_message("Paint or erase the mask, then apply it.")

    def apply_brain_mask(self) -> None:
        """Strip all images by the mask as it is painted."""
        layers = self._layers
        if layers is None or layers.brain is None or self._prepared is None:
            notify.error("The brain mask was removed. Open the case again to apply it.")
            return
        mask = mask_of_layer(layers.brain, layers.case)
        if np.array_equal(mask, self._prepared.brain):
            self.show_message("The brain mask is applied already.")
            return
        written = self._autosave.checksums([layers.brain])
        self._start(Correction(brain=mask), written)

    def apply_registration(self) -> None:
        """Store the sequence as it is shifted and turned."""
        modality, prepared = self.nudge.modality, self._prepared
        if modality is None or prepared is None or not self.nudge.moves:
            self.show_message("Shift or turn a sequence first.")
            return
        found = prepared.sequences[modality].registration
        matrix = np.eye(4) if found is None else found.matrix
        self._start(Correction(matrices={modality: moved_matrix(matrix, self._motion(prepared))}))

    def cancel(self) -> None:
        """Ask the correction to stop."""
        if self._worker is not None:
            self.cancel_button.setEnabled(False)
            self.show_message("cancelling: the current step ends first")
            self._worker.quit()

    def event(self, event: QEvent) -> bool:
        """Show images as they are stored when the dock is closed."""
        if event.type() == QEvent.Type.Close or (
            event.type() == QEvent.Type.ParentChange and self.parent() is None
        ):
            self._end_editing()
            self.cancel()
        return bool(super().event(event))

    def _end_editing(self) -> None:
        """Show the images as they are stored, and put the brush down."""
        self.edit_button.setChecked(False)
        self.nudge.reset()
        self._preview.end()

    def _has_same_layers(self, found: ScanLayers | None) -> bool:
        now = self._layers
        return (
            now is not None
            and found is not None
            and found.brain is now.brain
            and list(found.images.values()) == list(now.images.values())
        )

    def _show(self, prepared: PreparedCase) -> None:
        self.show_prepared(summary_of(prepared), figures_of(prepared), prepared.warnings)
        others = [m for m in ORDER if m in prepared.sequences and m != REFERENCE]
        self.nudge.show_sequences(others)
        self.nudge.setEnabled(bool(others) and self._worker is None)

    def _motion(self, prepared: PreparedCase) -> Affine:
        centre = prepared.grid.to_patient(np.argwhere(prepared.brain).mean(axis=0))
        return rigid_motion(self.nudge.shift_mm, self.nudge.degrees, centre)

    def _show_motion(self) -> None:
        modality = self.nudge.modality
        if self._layers is None or self._prepared is None or modality not in self._layers.images:
            return
        if self.nudge.moves:
            self._preview.show(self._layers, modality, self._motion(self._prepared))
        else:
            self._preview.end()

    def _start(self, correction: Correction, written: Mapping[Layer, int] | None = None) -> None:
        """Apply a correction, which stores the masks with the checksums `written`."""
        layers = self._layers
        if self._worker is not None or layers is None:
            return
        scan = self._scan(layers)
        if scan is None:
            return
        self.set_running(True)
        self._worker = start(
            CorrectionJob(layers.case, scan, correction),
            f"correction of {layers.case.name}",
            yielded=partial(_if_alive, self, lambda state: self.show_progress(*state)),
            returned=partial(_if_alive, self, partial(self._on_corrected, layers, written or {})),
            errored=partial(_if_alive, self, self._on_error),
            finished=partial(_if_alive, self, partial(self._end, "")),
        )
        self.destroyed.connect(self._worker.quit)

    def _scan(self, layers: ScanLayers) -> Path | None:
        """The folder of the scan; the user is asked for it once."""
        known = scan_of(layers.folder)
        if known is not None:
            return known
        chosen = QFileDialog.getExistingDirectory(
            self, f"Folder of the scan of {layers.case.name}", settings.last_folder()
        )
        if not chosen:
            return None
        remember_scan(layers.folder, Path(chosen))
        return Path(chosen)

    def _on_corrected(
        self, layers: ScanLayers, written: Mapping[Layer, int], prepared: PreparedCase
    ) -> None:
        self._end_editing()
        self._autosave.mark_exported(written)
        layers.show_images(prepared)
        if self._layers is not None and self._layers.case is layers.case:
            self._prepared = prepared
            self._show(prepared)
        for warning in prepared.warnings:
            notify.warn(f"{prepared.name}: {warning}")
        self._end("Stored. Segment the case again.")

    def _on_error(self, error: Exception) -> None:
        self._end("")
        if isinstance(error, SmalltumorError) and self._layers is not None:
            # The folder may have been the wrong one: ask again at the next attempt.
            forget_scan(self._layers.folder)
        notify.report(error)

    def _end(self, message: str) -> None:
        if self._worker is None:
            return
        self.destroyed.disconnect(self._worker.quit)
        self._worker = None
        self.set_running(False, message)

    def _on_change(self, *_: Any) -> None:
        if isalive(self):  # the viewer's patients exist longer than a dock
            self._soon.throttle()


def _disconnect(dock: ref[PreparedScanDock]) -> None:
    """Stop following the patients when a dock is deleted."""
    widget = dock()
    if widget is not None:
        for signal in (widget._patients.changed, widget._patients.patients_changed):
            signal.disconnect(widget._on_change)


def _if_alive(dock: PreparedScanDock, slot: Any, *arguments: object) -> None:
    """Call a slot unless the dock was deleted; Qt does not disconnect a partial."""
    if isalive(dock):
        slot(*arguments)
