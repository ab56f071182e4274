"""The Fine-tune dock: collect corrected cases, train on them, and use the new weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtWidgets import QScrollArea
from smalltumor.errors import SmalltumorError
from smalltumor.training.runs import run_control
from smalltumor.training.runs.monitor import RunMonitor
from smalltumor.training.runs.status import RunStatus

from napari_smalltumor import devices, notify, settings
from napari_smalltumor.closing.close_window import ensure_closing_question
from napari_smalltumor.finetune import open_docks
from napari_smalltumor.finetune.cases.training_folder import TrainingFolder
from napari_smalltumor.finetune.dialogs import CloseConfirmation, ask_for_run, show_log
from napari_smalltumor.finetune.next_run.next_run import NextRun
from napari_smalltumor.finetune.panel import FinetunePanel
from napari_smalltumor.finetune.run.run_ending import RunEnding
from napari_smalltumor.finetune.run.run_name import run_name
from napari_smalltumor.finetune.run.run_prediction import RunPrediction
from napari_smalltumor.finetune.run.weights_in_use import WeightsInUse, weights_to_use
from napari_smalltumor.finetune.runs_folder import last_run
from napari_smalltumor.loading.dropping import accept_drops
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.widgets.docks.dock_tabs import show_as_tab
from napari_smalltumor.widgets.docks.whole_width import show_whole_width
from napari_smalltumor.widgets.guarded_fields import guard_fields

if TYPE_CHECKING:
    from napari.viewer import Viewer

POLL_INTERVAL_MS = 1000
"""How often the run folder is read."""


class FinetuneDock(QScrollArea):
    """Connects the panel with the training folder, a run, and the viewer.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    polled = Signal(object)
    """The status of the run, each time its folder was read."""
    predicted = Signal(bool)
    """A prediction has finished; whether it was added to the viewer."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._monitor: RunMonitor | None = None
        self._status = RunStatus()
        self._ending = RunEnding(self)
        self._is_open = True
        self.panel = FinetunePanel()
        self._weights_in_use = WeightsInUse(self.panel.result, self)
        self._prediction = RunPrediction(napari_viewer, self.panel.monitor, self)
        self.panel.set_header(PatientHeader(napari_viewer))
        self.setWidget(self.panel)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        show_whole_width(self, self.panel.minimumWidth())
        self.training_folder = TrainingFolder(napari_viewer, self.panel.cases, self)
        self._next_run = NextRun(self.training_folder, self.panel, self)
        self.close_confirmation = CloseConfirmation(self, self._must_ask, self._stop_and_wait)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_INTERVAL_MS)
        self._timer.timeout.connect(self.poll)
        self._connect()
        devices.find_devices(self, self.panel.train.set_devices)
        devices.find_memory(self, self.panel.train.set_memory)
        show_as_tab(self, "Fine-tune")
        guard_fields(self)
        accept_drops(self.panel, napari_viewer)
        open_docks.add(self)
        closing = ensure_closing_question(napari_viewer)
        if closing is not None:
            closing.mention(self._what_goes_on)
        self._restore()

    @property
    def run(self) -> Path | None:
        """The run folder that is shown."""
        return self._monitor.run.path if self._monitor else None

    @property
    def status(self) -> RunStatus:
        """The status of the run when its folder was last read."""
        return self._status

    def open_run(self, path: Path) -> None:
        """Show a run, whether or not it is training and wherever it was started."""
        self._show_run(RunMonitor(path))

    def start(self) -> None:
        """Start a new run with the settings on the *Train* page."""
        run = self._next_run.start()
        if run is not None:
            self.panel.show_page(self.panel.monitor)
            self.open_run(run)

    def resume(self, changes: dict[str, int]) -> None:
        """Resume the run that is shown.

        Parameters
        ----------
        changes : dict of str to int
            Settings that change, such as ``crop`` and ``batch_size``.
        """
        if self.run is None:
            return
        try:
            run_control.resume(self.run, changes)
        except SmalltumorError as error:
            notify.report_error(error)
        self.poll()

    def pause(self) -> None:
        """Save the run and end its process, to resume it later."""
        if self.run is not None:
            self._ending.pause(self.run, self._status.host)

    def stop(self) -> None:
        """Save and stop the run."""
        if self.run is not None:
            self._ending.stop(self.run, self._status.host)

    def poll(self) -> None:
        """Read what is new in the run folder and show it."""
        if self._monitor is None:
            return
        self.close_confirmation.attach()
        self._status = self._monitor.poll()
        run = self._monitor.run
        offered = weights_to_use(run, self._status)
        busy = self._ending.action(run.path)
        name = run_name(run.path, self._monitor.data, self.training_folder.path)
        self.panel.show_name(name, offered)
        self.panel.show_status(
            self._status,
            busy=busy,
            has_weights=offered.is_file(),
            is_final=offered == run.final,
        )
        self.panel.train.set_run_weights(offered if offered.is_file() else None)
        self._weights_in_use.show_run(offered, name)
        self._next_run.on_polled(run.path, self._status)
        self.polled.emit(self._status)

    def use_weights(self) -> None:
        """Use the best network of the run in all Segment docks, open now or later."""
        self._weights_in_use.use()

    def predict(self, name: str) -> None:
        """Show the prediction of a validation case by the network saved last."""
        self._prediction.start(name)

    def event(self, event: QEvent) -> bool:
        """Close the dock when it is removed from its window, and open it when it is added.

        A file manager may have changed the training folder while another window was in front.
        """
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is None:
                self._close()
            else:
                self._open()
        if event.type() in (QEvent.Type.WindowActivate, QEvent.Type.Show):
            self.training_folder.read_if_changed()
        return bool(super().event(event))

    def _connect(self) -> None:
        self._ending.changed.connect(self.poll)
        bar = self.panel.run_bar
        bar.start_clicked.connect(self.start)
        bar.pause_clicked.connect(self.pause)
        bar.resume_clicked.connect(self.resume)
        bar.stop_clicked.connect(self.stop)
        bar.log_clicked.connect(self._show_log)
        bar.open_clicked.connect(self._browse_run)
        self._prediction.ended.connect(self.predicted)
        self.panel.monitor.prediction_clicked.connect(self.predict)
        self.panel.result.use_clicked.connect(self.use_weights)
        self.training_folder.folder_changed.connect(self._on_folder_changed)

    def _restore(self) -> None:
        """Show the run and the training folder that were shown last."""
        run = settings.get("run_folder")
        if run and Path(run).is_dir():
            self.open_run(Path(run))
            if self._status.state.is_live:
                self.panel.show_page(self.panel.monitor)
        self.training_folder.restore()

    def _on_folder_changed(self, folder: Path) -> None:
        """Show the last run of a training folder, unless another run is shown."""
        if self._monitor is None:
            run = last_run(folder)
            if run is not None:
                self.open_run(run)
        self.poll()

    def _show_run(self, monitor: RunMonitor) -> None:
        if monitor.run.path != self.run:
            self.panel.monitor.set_predicting(False)
        self._monitor = monitor
        self._prediction.run = monitor.run.path
        settings.put("run_folder", str(monitor.run.path))
        self._timer.start()
        self.poll()

    def _must_ask(self) -> bool:
        """Whether the run is training, and no other window shows it."""
        self.poll()
        return self._status.state.is_live and not open_docks.another_asks(self)

    def _what_goes_on(self) -> str:
        """That the run that is shown is training; empty if it is not."""
        if not isalive(self) or not self._is_open or self.run is None:
            return ""
        self.poll()
        if not self._status.state.is_live:
            return ""
        return f"The training of {self.run.name} continues in the background."

    def _stop_and_wait(self) -> None:
        assert self.run is not None
        try:
            run_control.stop(self.run)
        except SmalltumorError as error:
            notify.report_error(error)

    def _open(self) -> None:
        """Show again what happens in the run folder and in the training folder."""
        if self._is_open:
            return
        self._is_open = self._prediction.is_open = True
        open_docks.add(self)
        self.training_folder.open()
        if self._monitor is not None:
            self._timer.start()
            self.poll()

    def _close(self) -> None:
        self._is_open = self._prediction.is_open = False
        open_docks.discard(self)
        self._timer.stop()
        self.close_confirmation.detach()
        self.training_folder.close()
        self.close_confirmation.confirm_removal()

    def _show_log(self) -> None:
        if self._monitor is not None:
            show_log(self._monitor.run.log, self)

    def _browse_run(self) -> None:
        start = self.run or self.training_folder.path or settings.last_folder()
        monitor = ask_for_run(self, str(start))
        if monitor is not None:
            self._show_run(monitor)
