"""The Fine-tune dock: collect corrected cases, train on them, watch, and use the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QScrollArea
from smalltumor.errors import SmalltumorError
from smalltumor.training.runs import launcher
from smalltumor.training.runs.monitor import RunMonitor, RunStatus, State
from smalltumor.training.runs.run_folder import RunFolder

from napari_smalltumor import devices, notify, settings
from napari_smalltumor.finetune.closing_dialog import ClosingQuestion
from napari_smalltumor.finetune.collecting import Collecting
from napari_smalltumor.finetune.jobs import Prediction, predict
from napari_smalltumor.finetune.log_dialog import show_log
from napari_smalltumor.finetune.panel import FinetunePanel
from napari_smalltumor.finetune.plan import last_run, plan_of
from napari_smalltumor.finetune.prediction import show_prediction
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.viewer import Viewer

LOOK_MS = 1000
"""Pause between two looks at the run folder."""


class FinetuneDock(QScrollArea):
    """Connects the panel's buttons with the training folder, a run, and the viewer.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    looked = Signal(object)
    """How the run stands; after every look at its folder."""
    predicted = Signal(bool)
    """A prediction has ended; whether it is in the viewer."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._monitor: RunMonitor | None = None
        self._status = RunStatus()
        self._busy = ""
        self.panel = FinetunePanel()
        self.setWidget(self.panel)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setMinimumWidth(self.panel.minimumWidth())
        self.collecting = Collecting(napari_viewer, self.panel.cases, self)
        self._closing = ClosingQuestion(self, self._is_live, self._stop_now)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._connect()
        self._device_workers = (
            devices.find_devices(self.panel.train.set_devices),
            devices.find_memory(self.panel.train.offer_memory),
        )
        self._restore()

    @property
    def run(self) -> Path | None:
        """The run folder that is shown."""
        return self._monitor.run.path if self._monitor else None

    @property
    def status(self) -> RunStatus:
        """How the run stood at the last look."""
        return self._status

    def open_run(self, path: Path) -> None:
        """Show a run folder, whether its run goes on or not, and whoever started it."""
        self._monitor = RunMonitor(path)
        settings.put("run_folder", str(path))
        self._timer.start()
        self.look()

    def start(self) -> None:
        """Start a new run with what is chosen."""
        folder = self.collecting.folder
        if folder is None:
            notify.error("Choose the folder of cases to learn from first.")
            self.panel.turn_to(self.panel.cases)
            return
        try:
            plan = plan_of(folder, self.panel.train.choices)
            launcher.start(plan)
        except SmalltumorError as error:
            notify.error(str(error))
            return
        self.panel.turn_to(self.panel.watch)
        self.panel.use.say("")
        self.open_run(plan.run)

    def resume(self, changes: dict[str, int]) -> None:
        """Go on with the run that is shown."""
        if self.run is None:
            return
        try:
            launcher.resume(self.run, changes)
        except SmalltumorError as error:
            notify.error(str(error))
        self.look()

    def pause(self) -> None:
        """Save and end the process, to go on later."""
        self._end("pausing", launcher.pause)

    def stop(self) -> None:
        """Save and end the run."""
        self._end("stopping", launcher.stop)

    def look(self) -> None:
        """Read the run folder and show what is new."""
        if self._monitor is None:
            return
        self._closing.watch()
        self._status = self._monitor.poll()
        has_weights = self._monitor.run.best.is_file()
        self.panel.run.show_status(self._status, busy=self._busy)
        self.panel.watch.show_status(self._status)
        self.panel.use.show_status(self._status, has_weights=has_weights)
        self.panel.train.offer_run(self._monitor.run.best if has_weights else None)
        self.looked.emit(self._status)

    def use(self) -> None:
        """Let the Segment docks, open now or later, use the best network."""
        if self._monitor is None:
            return
        best = str(self._monitor.run.best)
        settings.put("weights", best)
        self.panel.use.say(f"The Segment dock now uses {self._monitor.run.path.name} (best).")

    def predict(self, name: str) -> None:
        """Show what the network makes of a held-out case now."""
        if self.run is None or not name:
            return
        self.panel.watch.set_predicting(True, f"segmenting {name} ...")
        device = settings.get("device")
        run_in_thread(
            lambda run=self.run: predict(run, name, device),
            self,
            self._on_prediction,
            self._on_no_prediction,
            name=f"prediction of {name}",
        )

    def event(self, event: QEvent) -> bool:
        """Ask about a run when the dock is taken out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._on_taken_out()
        return bool(super().event(event))

    def _connect(self) -> None:
        bar = self.panel.run
        bar.start_clicked.connect(self.start)
        bar.pause_clicked.connect(self.pause)
        bar.resume_clicked.connect(self.resume)
        bar.stop_clicked.connect(self.stop)
        bar.log_clicked.connect(self._show_log)
        bar.open_clicked.connect(self._ask_for_run)
        self.panel.watch.prediction_clicked.connect(self.predict)
        self.panel.use.use_clicked.connect(self.use)
        self.collecting.found.connect(self.panel.train.offer_cases)
        self.collecting.moved.connect(self._on_folder)

    def _restore(self) -> None:
        run = settings.get("run_folder")  # first: a folder without it shows its last run
        if run and RunFolder(Path(run)).path.is_dir():
            self.open_run(Path(run))
            if self._status.state.is_live:
                self.panel.turn_to(self.panel.watch)
        self.collecting.restore()

    def _on_folder(self, folder: Path) -> None:
        if self._monitor is None:
            best = last_run(folder)
            if best is not None:
                self.open_run(best.parent)

    def _end(self, word: str, how: Any) -> None:
        run = self.run
        if run is None or self._busy:
            return
        self._busy = f"{word} ..."
        self.look()
        run_in_thread(lambda: how(run), self, self._on_ended, self._on_ended, name=f"{word} a run")

    def _on_ended(self, outcome: Any) -> None:
        self._busy = ""
        if isinstance(outcome, Exception):
            notify.error(str(outcome))
        elif outcome is False and self._status.host:
            notify.info(f"The run on {self._status.host} was asked to end after its step.")
        elif outcome is False:
            notify.warn("The process did not answer and was ended; the state saved last is kept.")
        self.look()

    def _is_live(self) -> bool:
        self.look()
        return self._status.state.is_live

    def _stop_now(self) -> None:
        if self.run is not None:
            launcher.stop(self.run)

    def _on_taken_out(self) -> None:
        self._timer.stop()
        self._closing.let_go()
        self.collecting.let_go()
        self._closing.settle_if_open()

    def _on_prediction(self, prediction: Prediction) -> None:
        show_prediction(self._viewer, prediction)
        self.panel.watch.set_predicting(False, prediction.words)
        self.predicted.emit(True)

    def _on_no_prediction(self, error: Exception) -> None:
        self.panel.watch.set_predicting(False)
        notify.error(str(error)) if isinstance(error, SmalltumorError) else notify.unexpected(error)
        self.predicted.emit(False)

    def _show_log(self) -> None:
        if self._monitor is not None:
            show_log(self._monitor.run.log, self)

    def _ask_for_run(self) -> None:
        start = self.run or self.collecting.folder
        chosen = QFileDialog.getExistingDirectory(
            self, "Open a run folder", str(start or settings.last_folder())
        )
        if chosen and RunMonitor(Path(chosen)).poll().state is State.NONE:
            notify.error(f"{chosen} holds no run: it has no events and no log.")
        elif chosen:
            self.open_run(Path(chosen))
