"""The Fine-tune dock: collect corrected cases, train on them, and use the new weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QScrollArea
from smalltumor.errors import SmalltumorError
from smalltumor.training.runs import run_control
from smalltumor.training.runs.monitor import RunMonitor
from smalltumor.training.runs.status import RunStatus, State

from napari_smalltumor import devices, notify, settings
from napari_smalltumor.finetune.dialogs import CloseConfirmation, main_window_of, show_log
from napari_smalltumor.finetune.expected_length import measured_speed
from napari_smalltumor.finetune.new_run import RUNS, last_run, new_request
from napari_smalltumor.finetune.panel import FinetunePanel
from napari_smalltumor.finetune.prediction import Prediction, predict, show_prediction
from napari_smalltumor.finetune.run_ending import RunEnding
from napari_smalltumor.finetune.run_name import RunName, run_name
from napari_smalltumor.finetune.training_folder import TrainingFolder
from napari_smalltumor.loading.dropping import accept_drops
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.widgets.dock_tabs import show_as_tab
from napari_smalltumor.widgets.guarded_fields import guard_fields
from napari_smalltumor.widgets.whole_width import show_whole_width
from napari_smalltumor.workers import run_in_thread

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
        self._run_name: RunName | None = None
        self._ending = RunEnding(self)
        self._is_open = True
        self.panel = FinetunePanel()
        self.panel.set_header(PatientHeader(napari_viewer))
        self.setWidget(self.panel)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        show_whole_width(self, self.panel.minimumWidth())
        self.training_folder = TrainingFolder(napari_viewer, self.panel.cases, self)
        self._close_confirmation = CloseConfirmation(self, self._must_ask, self._stop_and_wait)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_INTERVAL_MS)
        self._timer.timeout.connect(self.poll)
        self._connect()
        devices.find_devices(self, self.panel.train.set_devices)
        devices.find_memory(self, self.panel.train.set_memory)
        show_as_tab(self, "Fine-tune")
        guard_fields(self)
        accept_drops(self.panel, napari_viewer)
        _OPEN_DOCKS.add(self)
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
        folder = self.training_folder.path
        if folder is None:
            notify.error("Choose a folder of training cases first.")
            self.panel.show_page(self.panel.cases)
            return
        try:
            request = new_request(folder, self.panel.train)
            run_control.start(request)
        except SmalltumorError as error:
            notify.report_error(error)
            return
        self.panel.show_page(self.panel.monitor)
        self.open_run(request.run)

    def resume(self, changes: dict[str, int]) -> None:
        """Resume the run that is shown.

        Parameters
        ----------
        changes : dict of str to int
            Settings that change, such as ``crop`` and ``batch``.
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
        self._close_confirmation.attach()
        self._status = self._monitor.poll()
        run = self._monitor.run
        best, has_weights = run.best, run.best.is_file()
        busy = self._ending.action(run.path)
        self._run_name = run_name(run.path, self._monitor.data, self.training_folder.path)
        self.panel.show_name(self._run_name)
        self.panel.show_status(self._status, busy=busy, has_weights=has_weights)
        self.panel.train.set_run_weights(best if has_weights else None)
        self.polled.emit(self._status)

    def use_weights(self) -> None:
        """Use the best network of the run in all Segment docks, open now or later."""
        if self._monitor is None or self._run_name is None:
            return
        settings.put("weights", str(self._monitor.run.best))
        self.panel.result.show_message(f"The Segment dock now uses {self._run_name.best()}.")

    def predict(self, name: str) -> None:
        """Show the prediction of a validation case by the network saved last."""
        run, device = self.run, settings.get("device")
        if run is None or not name:
            return
        patients = active_patient(self._viewer)
        before = patients.current
        self.panel.monitor.set_predicting(True, f"Segmenting {name} ...")

        def done(prediction: Prediction) -> None:
            if self._is_open:
                show_prediction(self._viewer, prediction, background=patients.current != before)
            finish(prediction.text)
            self.predicted.emit(self._is_open)

        def failed(error: Exception) -> None:
            if self._is_open:
                notify.report_error(error)
            finish("")
            self.predicted.emit(False)

        def finish(message: str) -> None:
            if run == self.run:
                self.panel.monitor.set_predicting(False, message)

        work = lambda: predict(run, name, device)  # noqa: E731
        run_in_thread(work, self, done, failed, name=f"prediction of {name}")

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
        self.panel.monitor.prediction_clicked.connect(self.predict)
        self.panel.result.use_clicked.connect(self.use_weights)
        self.training_folder.cases_listed.connect(self.panel.train.set_cases)
        self.training_folder.cases_listed.connect(self._show_startable)
        self.training_folder.folder_changed.connect(self._on_folder_changed)
        self.training_folder.folder_changed.connect(self._show_startable)
        self.training_folder.cases_listed.connect(self._show_speed)
        self.panel.train.validation.changed.connect(self._show_startable)
        self._show_startable()

    def _show_speed(self, listed: object = None) -> None:
        """Measure how long a run takes from the newest one in the training folder."""
        folder = self.training_folder.path
        self.panel.train.set_speed(measured_speed(folder / RUNS) if folder is not None else None)

    def _restore(self) -> None:
        """Show the run and the training folder that were shown last."""
        run = settings.get("run_folder")
        if run and Path(run).is_dir():
            self.open_run(Path(run))
            if self._status.state.is_live:
                self.panel.show_page(self.panel.monitor)
        self.training_folder.restore()

    def _show_startable(self, changed: object = None) -> None:
        problem = self.training_folder.problem or self.panel.train.problem
        self.panel.run_bar.set_startable(problem)

    def _on_folder_changed(self, folder: Path) -> None:
        """Show the last run of a training folder, unless another run is shown."""
        if self._monitor is None:
            run = last_run(folder)
            if run is not None:
                self.open_run(run)
        self.poll()

    def _show_run(self, monitor: RunMonitor) -> None:
        if monitor.run.path != self.run:
            self.panel.result.show_message("")
            self.panel.monitor.set_predicting(False)
        self._monitor = monitor
        settings.put("run_folder", str(monitor.run.path))
        self._timer.start()
        self.poll()

    def _must_ask(self) -> bool:
        """Whether the run is training, and no other window shows it."""
        self.poll()
        return self._status.state.is_live and not self._is_shown_elsewhere()

    def _is_shown_elsewhere(self) -> bool:
        return any(
            dock._asks_instead_of(self)
            for dock in _OPEN_DOCKS
            if dock is not self and isalive(dock) and dock.run == self.run
        )

    def _asks_instead_of(self, dock: FinetuneDock) -> bool:
        """Whether another dock needs no question, as this one will ask or has asked."""
        if main_window_of(self) is main_window_of(dock):
            return self._close_confirmation.is_settled
        return not self._close_confirmation.is_closed

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
        self._is_open = True
        _OPEN_DOCKS.add(self)
        self.training_folder.open()
        if self._monitor is not None:
            self._timer.start()
            self.poll()

    def _close(self) -> None:
        self._is_open = False
        _OPEN_DOCKS.discard(self)
        self._timer.stop()
        self._close_confirmation.detach()
        self.training_folder.close()
        self._close_confirmation.confirm_removal()

    def _show_log(self) -> None:
        if self._monitor is not None:
            show_log(self._monitor.run.log, self)

    def _browse_run(self) -> None:
        start = self.run or self.training_folder.path
        chosen = QFileDialog.getExistingDirectory(
            self, "Open a run folder", str(start or settings.last_folder())
        )
        if not chosen:
            return
        monitor = RunMonitor(Path(chosen))
        if monitor.poll().state is State.NONE:
            notify.error(f"{chosen} contains no training run.")
        else:
            self._show_run(monitor)


_OPEN_DOCKS: WeakSet[FinetuneDock] = WeakSet()
"""Those of all windows, to ask about a run only when the last one that shows it closes.

A dock that was deleted with its window stays here until nothing refers to it any more.
"""
