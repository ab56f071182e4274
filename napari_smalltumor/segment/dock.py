"""The Segment dock: segments the image layers of a patient into ET, TC and WT."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtWidgets import QScrollArea, QWidget
from smalltumor.errors import SmalltumorError

from napari_smalltumor import devices, notify, questions, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.dialog import ask_and_export
from napari_smalltumor.layers.metadata import cases_among, region_layers
from napari_smalltumor.layers.modalities import case_of_layers, exchanged
from napari_smalltumor.layers.nesting import ensure_nesting
from napari_smalltumor.layers.patient import Patient, patient_of_images, patient_of_shown_case
from napari_smalltumor.layers.region_masks import fingerprint, is_edited
from napari_smalltumor.layers.regions import (
    apply_style,
    hide_stored_labels,
    placement_of,
    segmentation_steps,
)
from napari_smalltumor.layers.warm_up import prepare_first_labels
from napari_smalltumor.loading.dropping import accept_drops
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.progress_worker import ProgressWorker, start
from napari_smalltumor.segment.job import JobResult, SegmentationJob
from napari_smalltumor.segment.panel import SegmentPanel
from napari_smalltumor.segment.shown_result import ShownResult
from napari_smalltumor.widgets.dock_tabs import show_as_tab

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import Viewer
    from smalltumor.data.case import Case

_WIDTH = 316
"""Wide enough for the name of a BraTS case with its modality."""

_CANCEL_TIMEOUT_MS = 1000
"""A run that has not stopped after this time is abandoned: its result is discarded."""


class SegmentDock(QScrollArea):
    """Connects the panel's buttons with the network and the viewer's layers.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    finished = Signal(bool)
    """Emitted when a run has ended, with whether its result was added to the viewer."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._worker: ProgressWorker | None = None
        self._case: Case | None = None
        self._patient: Patient | None = None
        self._patients = active_patient(napari_viewer)
        self._shown: Iterator[Labels] = iter(())
        self._run_number = 0
        self._checksum_before = 0
        self._placement: dict[str, Any] = {}
        self._cancel_timer = _timer(self, self._abandon)
        self._next_layer_timer = _timer(self, self._show_next)
        self._patients.changed.connect(self._on_patient)
        ensure_nesting(napari_viewer)
        self._edits = ensure_autosave(napari_viewer)
        self.panel = SegmentPanel(napari_viewer)
        self._shown_result = ShownResult(napari_viewer, self.panel.results)
        self._shown_result.exportable_changed.connect(self.panel.set_exportable)
        self._shown_result.update()
        self.setWidget(self.panel)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(_WIDTH)
        self.panel.segment_clicked.connect(self.segment)
        self.panel.cancel_clicked.connect(self.cancel)
        self.panel.export_clicked.connect(self._export)
        self.panel.options.region_style.changed.connect(self._restyle)
        show_as_tab(self, "Segment")
        accept_drops(self.panel, napari_viewer)
        prepare_first_labels(self)
        devices.find_devices(self, self.panel.options.set_devices)

    @property
    def is_running(self) -> bool:
        """Whether a run of this dock is in progress."""
        return self._case is not None

    def segment(self) -> None:
        """Segment the chosen layers."""
        if self.is_running:
            return
        chosen = self.panel.pickers.chosen
        images = [layer for layer in chosen.values() if layer is not None]
        try:
            case = case_of_layers(chosen)
            patient = patient_of_images(images, case)
        except SmalltumorError as error:
            notify.report(error)
            return
        if not self._may_exchange(case):
            return
        if is_edited(self._viewer.layers, case) and not self._may_overwrite(case):
            return
        self._edits.save_now()
        self._placement = placement_of(case, chosen)
        self._patients.adopt(images, patient)
        self._case, self._patient = case, patient
        self._checksum_before = fingerprint(self._viewer.layers, case)
        options = self.panel.options
        job = SegmentationJob(case, options.weights_path, options.device, options.flips)
        self.panel.set_running(True)
        self._worker = start(job, str(job), **self._slots())
        self.destroyed.connect(self._worker.quit)  # a dock deleted with its parent gets no event

    def cancel(self) -> None:
        """Request the run to stop, and abandon it if it does not stop soon."""
        if self._worker is not None:
            self.panel.set_cancelling()
            self._worker.quit()
            self._cancel_timer.start(_CANCEL_TIMEOUT_MS)

    def event(self, event: QEvent) -> bool:
        """Follow the viewer while the dock is in a window, and cancel the run when it is closed.

        A dock is hidden when its window closes, while the layers still exist: this is the last
        moment to autosave recent edits.
        """
        if event.type() == QEvent.Type.Hide:
            self._edits.save_now()
        moved = event.type() == QEvent.Type.ParentChange
        taken_out = moved and self.parent() is None
        if taken_out:
            self.panel.pickers.disconnect_viewer()
            self._shown_result.close()
        elif moved:
            self.panel.pickers.connect_viewer()
            self._shown_result.open()
        if taken_out or event.type() == QEvent.Type.Close:
            self.cancel()
        return bool(super().event(event))

    def _abandon(self) -> None:
        if self._worker is not None:
            self._finish("Cancelled")

    def _slots(self) -> dict[str, Callable[..., None]]:
        """Slots for the signals of the run that starts now.

        A signal of an abandoned run can arrive while the next run is in progress, so each slot
        gets the number of its run.
        """
        self._run_number += 1
        return {
            "yielded": partial(self._on_progress, self._run_number),
            "returned": partial(self._on_returned, self._run_number),
            "errored": partial(self._on_error, self._run_number),
            "aborted": partial(self._on_aborted, self._run_number),
        }

    def _is_current(self, number: int) -> bool:
        # Qt does not disconnect a partial when the dock is deleted.
        return isalive(self) and number == self._run_number and self._worker is not None

    def _on_progress(self, number: int, state: tuple[float, str]) -> None:
        if not self._is_current(number):
            return
        fraction, step = state
        if self._patient is not None and self._patient != self._patients.current:
            step = f"{self._patients.title_of(self._patient)}: {step}"
        self.panel.show_progress(fraction, step)

    def _on_aborted(self, number: int) -> None:
        if self._is_current(number):
            self._finish("Cancelled")

    def _on_error(self, number: int, error: Exception) -> None:
        if self._is_current(number):
            self._finish("")
            notify.report(error)

    def _on_returned(self, number: int, result: JobResult) -> None:
        if not self._is_current(number):
            return
        if self._worker.abort_requested:  # the result was on its way when the user cancelled
            self._finish("Cancelled")
            return
        self._on_result(result)

    def _on_result(self, result: JobResult) -> None:
        case = self._case
        assert case is not None
        self._cancel_timer.stop()
        self._forget_worker()  # there is nothing left to cancel
        if self._patient not in self._patients.patients:
            self._finish(f"{case.name} was closed and the result was discarded")
            return
        changed = fingerprint(self._viewer.layers, case) != self._checksum_before
        if changed and not self._may_overwrite(case):
            self._finish("Your edits were kept and the result was discarded")
            return
        self._shown = segmentation_steps(
            self._viewer,
            case,
            result.segmentation,
            result.masks,
            style=settings.get("style"),
            placement=self._placement,
        )
        self._next_layer_timer.start(0)

    def _show_next(self) -> None:
        """Add the next layer; the window is drawn before the one after it."""
        patient = self._patient
        assert patient is not None
        with self._patients.in_background():
            if next(self._shown, None) is not None:
                self._next_layer_timer.start(0)
                return
            hide_stored_labels(self._viewer.layers, patient)
        self._shown_result.update()
        if patient != self._patients.current:
            title = self._patients.title_of(patient)
            notify.info(f"{title} is segmented. Choose it under Patient to see the result.")
        self._finish("", shown=True)

    def _finish(self, message: str, *, shown: bool = False) -> None:
        self._cancel_timer.stop()
        self._forget_worker()
        self._case = self._patient = None
        self.panel.set_running(False, message)
        self.finished.emit(shown)

    def _on_patient(self) -> None:
        """Remove a message about the patient before."""
        if isalive(self) and self._worker is None:
            self.panel.set_running(False)

    def _forget_worker(self) -> None:
        if self._worker is not None:
            self.destroyed.disconnect(self._worker.quit)
            self._worker = None

    def _restyle(self, style: str) -> None:
        for case in cases_among(self._viewer.layers):
            for region, layer in region_layers(self._viewer.layers, case).items():
                apply_style(layer, region, style)

    def _export(self, per_region: bool) -> None:
        ask_and_export(self._viewer, self, per_region=per_region)

    def _title_of(self, case: Case) -> str:
        return self._patients.title_of(patient_of_shown_case(self._viewer.layers, case))

    def _may_exchange(self, case: Case) -> bool:
        texts = exchanged(self.panel.pickers.chosen)
        title = self._title_of(case)
        return not texts or questions.confirm(
            self,
            "Images exchanged?",
            f"{title}: {', '.join(texts)}. The network would take one image for another, and "
            "its result would be wrong.",
            "Segment anyway",
        )

    def _may_overwrite(self, case: Case) -> bool:
        return questions.confirm(
            self,
            "Replace edited regions?",
            f"You have edited ET, TC or WT of {self._title_of(case)}. Segmenting again replaces "
            "them, and this cannot be undone. To keep them, export them first.",
            "Replace",
        )


def _timer(parent: QWidget, slot: Callable[[], None]) -> QTimer:
    """Create a single-shot timer that is deleted with its parent."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.timeout.connect(slot)
    return timer
