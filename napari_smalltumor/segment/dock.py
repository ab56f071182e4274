"""The Segment dock: from four layers to ET, TC and WT."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtWidgets import QMessageBox, QScrollArea, QWidget
from smalltumor.errors import SmalltumorError

from napari_smalltumor import devices, notify, settings
from napari_smalltumor.autosave.watcher import keep_edits
from napari_smalltumor.export_dialog import ask_and_export
from napari_smalltumor.layers.metadata import cases_among, region_layers
from napari_smalltumor.layers.modalities import case_of_layers
from napari_smalltumor.layers.nesting import keep_nested
from napari_smalltumor.layers.region_masks import fingerprint, is_edited
from napari_smalltumor.layers.regions import apply_style, hide_stored_labels, placement_of, showing
from napari_smalltumor.layers.warm_up import prepare_first_labels
from napari_smalltumor.open_case import open_case_folder
from napari_smalltumor.segment.job import Outcome, SegmentationJob
from napari_smalltumor.segment.panel import SegmentPanel
from napari_smalltumor.segment.worker import SegmentWorker, start

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import Viewer
    from smalltumor.data.case import Case

_WIDTH = 316
"""Wide enough for the name of a BraTS case with its modality."""

_PATIENCE_MS = 1000


class SegmentDock(QScrollArea):
    """Connects the panel's buttons with the network and the viewer's layers.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    finished = Signal(bool)
    """A run has ended; whether its result is in the viewer."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._worker: SegmentWorker | None = None
        self._case: Case | None = None
        self._outcome: Outcome | None = None
        self._shown: Iterator[Labels] = iter(())
        self._before = 0
        self._placement: dict[str, Any] = {}
        self._patience = _timer(self, self._abandon)
        self._turn = _timer(self, self._show_next)
        keep_nested(napari_viewer)
        self._edits = keep_edits(napari_viewer)
        self.panel = SegmentPanel(napari_viewer)
        self.setWidget(self.panel)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(_WIDTH)
        self.panel.open_clicked.connect(lambda: open_case_folder(self._viewer))
        self.panel.segment_clicked.connect(self.segment)
        self.panel.cancel_clicked.connect(self.cancel)
        self.panel.export_clicked.connect(self._export)
        self.panel.options.region_style.changed.connect(self._restyle)
        prepare_first_labels(self)
        self._device_worker = devices.find_devices(self.panel.options.set_devices)

    @property
    def is_running(self) -> bool:
        """Whether the network is at work for this dock."""
        return self._case is not None

    def segment(self) -> None:
        """Run the network on the chosen layers."""
        if self.is_running:
            return
        try:
            case = case_of_layers(self.panel.pickers.chosen)
        except SmalltumorError as error:
            notify.report(error)
            return
        if is_edited(self._viewer.layers, case) and not self._may_overwrite(case):
            return
        self._edits.save_now()
        self._case = case
        self._placement = placement_of(case, self.panel.pickers.chosen)
        self._before = fingerprint(self._viewer.layers, case)
        options = self.panel.options
        job = SegmentationJob(
            case, options.weights_path, options.device, options.flips, settings.get("threshold")
        )
        self.panel.set_running(True)
        self._worker = start(job, **self._slots())

    def cancel(self) -> None:
        """Ask the run to stop; if it is deep in a step, the dock does not wait for it."""
        if self._worker is not None:
            self.panel.set_cancelling()
            self._worker.quit()
            self._patience.start(_PATIENCE_MS)

    def event(self, event: QEvent) -> bool:
        """A dock that is closed, or taken out of its window, takes its run with it.

        It is hidden when its window closes, while the layers are still there: the last moment to
        keep what was edited since the last minute.
        """
        if event.type() == QEvent.Type.Hide:
            self._edits.save_now()
        taken_out = event.type() == QEvent.Type.ParentChange and self.parent() is None
        if taken_out or event.type() == QEvent.Type.Close:
            self.cancel()
        return bool(super().event(event))

    def _abandon(self) -> None:
        if self._worker is not None:
            for signal, slot in self._slots().items():
                getattr(self._worker, signal).disconnect(slot)
            self._finish("Cancelled")

    def _slots(self) -> dict[str, Callable[[Any], None]]:
        return {
            "yielded": self._on_progress,
            "returned": self._on_outcome,
            "errored": self._on_error,
            "aborted": self._on_aborted,
        }

    def _on_progress(self, state: tuple[float, str]) -> None:
        self.panel.show_progress(*state)

    def _on_aborted(self) -> None:
        self._finish("Cancelled")

    def _on_error(self, error: Exception) -> None:
        self._finish("")
        notify.report(error)

    def _on_outcome(self, outcome: Outcome) -> None:
        case = self._case
        assert case is not None
        self._patience.stop()
        self._worker = None  # there is nothing left to cancel
        changed = fingerprint(self._viewer.layers, case) != self._before
        if changed and not self._may_overwrite(case):
            self._finish("Your edits were kept, the result was not")
            return
        self._shown = showing(
            self._viewer,
            case,
            outcome.segmentation,
            outcome.masks,
            style=settings.get("style"),
            placement=self._placement,
        )
        self._outcome = outcome
        self._turn.start(0)

    def _show_next(self) -> None:
        """Add one layer, let the window draw, and go on."""
        if next(self._shown, None) is not None:
            self._turn.start(0)
            return
        case, outcome = self._case, self._outcome
        assert case is not None and outcome is not None
        hide_stored_labels(self._viewer.layers, case)
        run = outcome.segmentation.run
        warnings = [*case.warnings, *(run.warnings if run is not None else ())]
        self.panel.results.show_outcome(outcome, warnings)
        self._finish("", shown=True)

    def _finish(self, word: str, *, shown: bool = False) -> None:
        self._patience.stop()
        self._worker = self._case = self._outcome = None
        self.panel.set_running(False, word)
        self.finished.emit(shown)

    def _restyle(self, style: str) -> None:
        for case in cases_among(self._viewer.layers):
            for region, layer in region_layers(self._viewer.layers, case).items():
                apply_style(layer, region, style)

    def _export(self, per_region: bool) -> None:
        ask_and_export(self._viewer, self, per_region=per_region)

    def _may_overwrite(self, case: Case) -> bool:
        answer = QMessageBox.question(
            self,
            "Replace edited regions?",
            f"ET, TC or WT of {case.name} were edited. Segmenting again replaces them, and this "
            "cannot be undone. Export them first if you want to keep them.\n\nReplace them?",
        )
        return bool(answer == QMessageBox.StandardButton.Yes)


def _timer(parent: QWidget, slot: Callable[[], None]) -> QTimer:
    """A timer that goes off once, and not at all when its parent has gone."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.timeout.connect(slot)
    return timer
