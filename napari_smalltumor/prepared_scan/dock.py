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
from smalltumor.data.case import Case
from smalltumor.errors import SmalltumorError
from smalltumor.scanner.preparation.correction import Correction
from smalltumor.scanner.prepared.prepared_case import PreparedCase
from smalltumor.scanner.prepared.series_of_case import NotTheScanError
from smalltumor.scanner.prepared.stored_case import stored_case
from superqt.utils import QSignalDebouncer

from napari_smalltumor import notify
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.layers.changed_images import no_longer_shown_text
from napari_smalltumor.layers.editing.tool import put_down_tool
from napari_smalltumor.layers.masks.brain_mask import mask_of_layer
from napari_smalltumor.layers.metadata import same_case
from napari_smalltumor.loading.dropping import accept_drops
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title, with_title
from napari_smalltumor.patients.cases_in_use import use_case, use_of
from napari_smalltumor.prepared_scan.figures import figures_of, summary_of
from napari_smalltumor.prepared_scan.job import CorrectionJob
from napari_smalltumor.prepared_scan.panel import NOT_PREPARED, PreparedScanPanel
from napari_smalltumor.prepared_scan.registration_correction import RegistrationCorrection
from napari_smalltumor.prepared_scan.scan_folder import scan_or_ask
from napari_smalltumor.prepared_scan.scan_layers import (
    ScanLayers,
    is_segmented,
    scan_layers,
    show_images,
    take_brush,
)
from napari_smalltumor.prepared_scan.whole_head import WholeHead
from napari_smalltumor.progress_worker import ProgressWorker, start
from napari_smalltumor.scanner.known_scans import forget_scan, remember_scan
from napari_smalltumor.widgets.docks.dock_tabs import show_as_tab
from napari_smalltumor.widgets.guarded_fields import guard_fields

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

_DEBOUNCE_MS = 50
_MASK_NOT_APPLIED = "Not applied: strokes on the brain mask."


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
        self._registration_correction = RegistrationCorrection(
            napari_viewer, self.registration, self
        )
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
        self._registration_correction.requested.connect(self.correct)
        self._registration_correction.refused.connect(self.show_message)
        self.registration.changed.connect(self._clear_message)
        self.cancel_button.clicked.connect(self.cancel)
        show_as_tab(self, "Scan")
        guard_fields(self)
        accept_drops(self, napari_viewer)
        self.update_figures()

    @property
    def case(self) -> Case | None:
        """The case that the dock shows, or None."""
        return self._layers.case if self._layers is not None else None

    @property
    def prepared(self) -> PreparedCase | None:
        """The prepared case that the dock shows, or None."""
        return self._prepared

    @property
    def busy(self) -> bool:
        """Whether a correction is being applied or previewed."""
        return self._worker is not None or self._registration_correction.busy or self._head.busy

    def update_figures(self) -> None:
        """Follow the active patient."""
        found = scan_layers(self._viewer)
        shown = self._layers if self._prepared is not None else None
        if found is not None and shown is not None and found.case is shown.case:
            if not found.are_same(shown):
                self._layers = found
                self._registration_correction.follow(found)
            return
        self._registration_correction.leave()
        self.edit_button.setChecked(False)
        self._clear_message()
        self._layers, self._prepared = found, None
        if found is not None and found.case.has_changed_images:
            title = case_title(self._viewer, found.case)
            self.show_explanation(f"{no_longer_shown_text(found.case, title)}.")
            return
        try:
            self._prepared = stored_case(found.case) if found is not None else None
        except SmalltumorError as error:
            self.show_explanation(notify.error_text(error))
            return
        if self._prepared is None:
            self.show_explanation(NOT_PREPARED)
        else:
            self._show(self._prepared)
            self._show_unapplied_mask()

    def _clear_message(self) -> None:
        """Remove what was said of another patient, or before the last step; not a run's step."""
        if self._worker is None:
            self.show_message("")

    def _show_unapplied_mask(self) -> None:
        """Say again that strokes on the brain mask are not applied, as is said of motions."""
        brain = self._layers.brain if self._layers is not None else None
        if self._worker is not None or brain is None:
            return
        if brain.name in self._autosave.edited([brain]):
            self.show_message(_MASK_NOT_APPLIED)

    def paint_brain_mask(self, painting: bool = True) -> None:
        """Show the brain mask on the whole head and take the brush, or put it down."""
        layers, prepared = self._layers, self._prepared
        layer = layers.brain if layers is not None else None
        self.enable_registration(self._worker is None)
        if not painting:
            self._head.hide()
            self._registration_correction.resume()
            put_down_tool(layer)
            self._clear_message()
            self._show_unapplied_mask()
            return
        if layers is None or layer is None or prepared is None:
            self.edit_button.setChecked(False)
            notify.error("The brain mask was removed. Open the case again to paint it.")
            return
        self._registration_correction.suspend()
        scan = scan_or_ask(self, self._viewer, layers)
        if not self.edit_button.isChecked() or not self._is_active(layers.case):
            return  # the user chose another patient while the folder was asked for
        if scan is not None:
            self._head.show(layers, prepared, scan)
        take_brush(self._viewer, layer)
        self.show_message("Paint or erase the mask, then apply it.")

    def apply_brain_mask(self) -> None:
        """Strip all images by the mask as it is painted."""
        layers = self._layers
        if layers is None or layers.brain is None or self._prepared is None:
            notify.error("The brain mask was removed. Open the case again to apply it.")
            return
        mask = mask_of_layer(layers.brain, layers.case)
        if not mask.any():
            self.show_message("The brain mask is empty. Paint the brain first.")
            return
        if np.array_equal(mask, self._prepared.brain):
            self.show_message("The brain mask is applied already.")
            return
        written = self._autosave.checksums([layers.brain])
        self.correct(Correction(brain=mask), written)

    def correct(self, correction: Correction, written: Mapping[Layer, int] | None = None) -> None:
        """Apply a correction to the active patient's case, in a worker.

        Parameters
        ----------
        correction : Correction
        written : mapping of layer to int
            Checksums of the layers whose content the correction stores.
        """
        layers = self._layers
        if self._worker is not None or layers is None:
            return
        use = use_of(self._viewer, layers.case)
        if use is not None:
            title = case_title(self._viewer, layers.case)
            notify.error(f"{title} is being {use.name}. Correct it when that has ended.")
            return
        scan = scan_or_ask(self, self._viewer, layers)
        if scan is None:
            return
        self.set_running(True)
        self._worker = start(
            CorrectionJob(layers.case, scan, correction),
            f"correction of {case_title(self._viewer, layers.case)}",
            owner=self,
            stores=True,
            ended=use_case(self._viewer, layers.case, "corrected"),
            yielded=partial(self._on_progress, layers),
            returned=partial(_on_stored, self, layers, scan, written or {}),
            errored=partial(self._on_error, layers),
            finished=partial(self._end, ""),
        )

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
            self.edit_button.setChecked(False)
            self._registration_correction.suspend()
            self.cancel()
        return bool(super().event(event))

    def _show(self, prepared: PreparedCase) -> None:
        self.show_prepared(summary_of(prepared), figures_of(prepared), prepared.shown_warnings)
        if self._layers is not None:
            self._registration_correction.show(self._layers, prepared)
        self.enable_registration(self._worker is None)

    def _is_active(self, case: Case) -> bool:
        """Whether the dock shows a case."""
        return self._layers is not None and same_case(self._layers.case, case)

    def _on_progress(self, layers: ScanLayers, state: tuple[float, str]) -> None:
        fraction, step = state
        title = "" if self._is_active(layers.case) else f"{case_title(self._viewer, layers.case)}: "
        self.show_progress(fraction, f"{title}{step}")

    def _on_corrected(self, layers: ScanLayers, prepared: PreparedCase) -> None:
        """Show the new figures, unless another patient is active by now."""
        again = " again" if is_segmented(self._viewer, layers.case) else ""
        if self._is_active(layers.case):
            self._prepared = prepared
            self._show(prepared)
            self.edit_button.setChecked(False)
            if layers.brain is not None:  # as when a prepared case is opened
                put_down_tool(layers.brain)
                layers.brain.visible = False
            self._end(f"Stored. Segment the case{again}.")
        else:
            self._end("")
            notify.info(f"The correction of {prepared.name} is stored. Segment it{again}.")

    def _on_error(self, layers: ScanLayers, error: Exception) -> None:
        self._end("")
        if isinstance(error, NotTheScanError):  # ask for the folder again at the next attempt
            forget_scan(layers.folder)
        title = case_title(self._viewer, layers.case)
        if isinstance(error, SmalltumorError):
            notify.error(with_title(title, layers.case.name, notify.error_text(error)))
        else:
            notify.report_error(error)

    def _end(self, message: str) -> None:
        if self._worker is not None:
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


def _on_stored(
    dock: PreparedScanDock,
    layers: ScanLayers,
    scan: Path,
    written: Mapping[Layer, int],
    prepared: PreparedCase,
) -> None:
    """Show a correction that is stored, even if the dock was deleted meanwhile."""
    remember_scan(layers.folder, scan)
    dock._autosave.mark_exported(written)
    show_images(dock._viewer, layers.case, prepared)
    for warning in prepared.shown_warnings:
        notify.warn(f"{prepared.name}: {warning}")
    if isalive(dock):
        dock._on_corrected(layers, prepared)
