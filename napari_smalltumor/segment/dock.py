"""The Segment dock: segments the image layers of a patient into ET, TC and WT."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtWidgets import QScrollArea
from smalltumor.errors import SmalltumorError

from napari_smalltumor import devices, keys, notify, questions
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.dialogs.export_dialog import ask_and_export
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.masks.brain_mask import brain_mask_of
from napari_smalltumor.layers.masks.regions import apply_style, placement_of
from napari_smalltumor.layers.metadata import cases_among, region_layers
from napari_smalltumor.layers.modalities import case_of_layers, misassigned
from napari_smalltumor.layers.patient import (
    Patient,
    layers_of_patient,
    name_apart,
    patient_of_images,
)
from napari_smalltumor.layers.warm_up import prepare_first_labels
from napari_smalltumor.loading.dropping import accept_drops
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title
from napari_smalltumor.patients.cases_in_use import use_of
from napari_smalltumor.patients.removed.removed_layers import removed_layers
from napari_smalltumor.report.command import ask_and_report
from napari_smalltumor.segment.job import SegmentationJob
from napari_smalltumor.segment.panel import SegmentPanel
from napari_smalltumor.segment.replaced_edits import (
    confirm_replacing_edits,
    confirm_replacing_review,
)
from napari_smalltumor.segment.run import SegmentRun, not_segmented_text, run_in
from napari_smalltumor.segment.shown_result import ShownResult
from napari_smalltumor.segment.speed_hint import show_speed_hint
from napari_smalltumor.widgets.docks.dock_keys import DockKeys
from napari_smalltumor.widgets.docks.dock_tabs import show_as_tab
from napari_smalltumor.widgets.docks.whole_width import show_whole_width
from napari_smalltumor.widgets.guarded_fields import guard_fields
from napari_smalltumor.worklist.session import review_session

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from smalltumor.data.case import Case

_WIDTH = 304
"""Of the panel; wide enough for the name of a BraTS case with its modality."""


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
        self.run: SegmentRun | None = None
        self._patients = active_patient(napari_viewer)
        self._patients.changed.connect(self._on_patient)
        ensure_nesting(napari_viewer)
        self._edits = ensure_autosave(napari_viewer)
        self.panel = SegmentPanel(napari_viewer)
        self._shown_result = ShownResult(napari_viewer, self.panel.results)
        self._shown_result.exportable_changed.connect(self.panel.set_exportable)
        self._shown_result.update()
        # Its least height is that of its texts in its width: that of labels, which is of no width,
        # would scroll the patient out of view although all of the panel fits.
        self.panel.setMinimumHeight(1)
        self.setWidget(self.panel)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        show_whole_width(self, _WIDTH)
        self.panel.segment_clicked.connect(self.segment)
        self.panel.cancel_clicked.connect(self._press_cancel)
        self.panel.export_clicked.connect(self._export)
        self.panel.report_clicked.connect(self._report)
        self.panel.options.region_style.changed.connect(self._restyle)
        self._window = planes_window(napari_viewer)
        self._bind_keys()
        show_as_tab(self, "Segment")
        guard_fields(self)
        accept_drops(self.panel, napari_viewer)
        prepare_first_labels(self)
        devices.find_devices(self, self._on_devices)
        self._follow(run_in(napari_viewer))

    def _on_devices(self, found: devices.Devices) -> None:
        self.panel.options.set_devices(found)
        show_speed_hint(found)

    @property
    def is_running(self) -> bool:
        """Whether a run is in progress."""
        return self.run is not None

    def segment(self) -> None:
        """Segment the chosen layers, unless a run is in progress in this window."""
        if not self.is_running:
            self._follow(run_in(self._viewer))  # which another dock has started
        if self.is_running:
            return
        chosen = self.panel.pickers.chosen
        images = [layer for layer in chosen.values() if layer is not None]
        try:
            case = case_of_layers(chosen)
            name_apart(case, images, self._viewer.layers)
            patient = patient_of_images(images, case)
        except SmalltumorError as error:
            self.panel.set_running(False, not_segmented_text(error))
            notify.report_error(error)
            return
        use = use_of(self._viewer, case)
        title = case_title(self._viewer, case)
        if use is not None:
            notify.error(f"{title} is being {use.name}. Segment it when that has ended.")
            return
        if not self._confirm_sequences(case) or not self._confirm_unapplied_brain_mask(
            patient, case
        ):
            return
        reader = review_session(self._viewer).reader_of(patient)
        edited = self._edited_regions(case)
        if edited:
            shown = {x.name for x in region_layers(self._viewer.layers, case).values()}
            agrees = confirm_replacing_edits(
                self._viewer, patient, self, can_be_saved=shown.issuperset(edited)
            )
        else:
            agrees = not reader or confirm_replacing_review(title, reader)
        if not agrees:
            return
        self._edits.save_now()
        placement = placement_of(case, chosen)
        self._patients.adopt(images, patient)
        options = self.panel.options
        job = SegmentationJob(case, options.weights_path, options.device, options.flips)
        window = self._window.main_window if self._window is not None else None
        self._follow(SegmentRun(self._viewer, job, patient, placement, window))

    def press_segment(self) -> None:
        """Segment, or say why that is not possible now."""
        if self.run is not None:
            notify.info(f"{self.run.title} is being segmented.")
        elif (obstacle := self.panel.obstacle) is not None:
            notify.info(obstacle)
        else:
            self.segment()

    def _press_cancel(self) -> None:
        """Request the run to stop, after a question if it is that of a patient who is not shown."""
        run = self.run
        if run is None:
            return
        question = f"{run.title}, who is not the active patient, is being segmented. Stop that?"
        may = run.is_of_active or questions.confirm(self, "Stop?", question, "Stop")
        if may and run is self.run:  # it may have ended meanwhile
            run.cancel()

    def cancel(self) -> None:
        """Request the run to stop."""
        if self.run is not None:
            self.run.cancel()

    def event(self, event: QEvent) -> bool:
        """Follow the viewer while the dock is in a window; a run goes on without the dock.

        A dock is hidden when its window closes, while the layers still exist: this is the last
        moment to autosave recent edits.
        """
        if event.type() == QEvent.Type.Hide:
            self._edits.save_now()
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is None:
                self._leave_window()
            else:
                self._enter_window()
        return bool(super().event(event))

    def _enter_window(self) -> None:
        """Follow the viewer again, and a run that another dock has started meanwhile."""
        self.panel.pickers.connect_viewer()
        self._shown_result.open()
        if not self.keys.shortcuts:
            self._bind_keys()
        if not self.is_running:
            self._follow(run_in(self._viewer))

    def _bind_keys(self) -> None:
        window = self._window.main_window if self._window else self
        self.keys = DockKeys(window, self, {keys.SEGMENT: self.press_segment})
        # The keys, which belong to the window, may be deleted before the dock.
        self.destroyed.connect(partial(DockKeys.unbind, self.keys))

    def _leave_window(self) -> None:
        self.keys.unbind()
        self.panel.pickers.disconnect_viewer()
        self._shown_result.close()
        if self.run is not None and not self.run.is_cancelling:
            notify.info(
                f"{self.run.title} is still being segmented. Open the Segment dock again to see "
                "the progress or to cancel."
            )

    def _follow(self, run: SegmentRun | None) -> None:
        """Show a run that is in progress, until it has ended."""
        if run is None:
            return
        self.run = run
        self.panel.set_running(True)
        self.panel.show_progress(*run.progress)
        if run.is_cancelling:
            self.panel.set_cancelling()
        run.progressed.connect(self.panel.show_progress)
        run.cancelling.connect(self.panel.set_cancelling)
        run.ended.connect(self._on_ended)

    def _on_ended(self, shown: bool, message: str) -> None:
        self.run = None
        self._shown_result.update()
        self.panel.set_running(False, message)
        self.finished.emit(shown)

    def _on_patient(self) -> None:
        """Remove a message about the patient before."""
        if isalive(self) and not self.is_running:
            self.panel.set_running(False)

    def _restyle(self, style: str) -> None:
        for case in cases_among(self._viewer.layers):
            for region, layer in region_layers(self._viewer.layers, case).items():
                apply_style(layer, region, style)

    def _report(self) -> None:
        ask_and_report(self._viewer, self)

    def _export(self, per_region: bool) -> None:
        ask_and_export(self._viewer, self, per_region=per_region)

    def _edited_regions(self, case: Case) -> list[str]:
        """Names of regions that are, or were, in no file and are no network's result."""
        shown = region_layers(self._viewer.layers, case).values()
        removed = region_layers(removed_layers(self._viewer).layers, case).values()
        return self._edits.autosave.edited([*shown, *removed])

    def _confirm_unapplied_brain_mask(self, patient: Patient, case: Case) -> bool:
        """Ask whether to segment although strokes of the brain mask were not applied."""
        brain = brain_mask_of(layers_of_patient(self._viewer.layers, patient))
        if brain is None or brain.name not in self._edits.autosave.edited([brain]):
            return True
        return questions.confirm(
            self,
            "Brain mask not applied",
            f"{case_title(self._viewer, case)}: the painted brain mask was not applied yet. Click "
            "Apply brain mask in the Prepared scan dock first, or segment the images as they are.",
            "Segment anyway",
        )

    def _confirm_sequences(self, case: Case) -> bool:
        texts = misassigned(self.panel.pickers.chosen)
        title = case_title(self._viewer, case)
        return not texts or questions.confirm(
            self,
            "Images swapped?",
            f"{title}: {', '.join(texts)}. With swapped images the result would be wrong.",
            "Segment anyway",
        )
