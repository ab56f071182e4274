"""The run bar: state and progress of the run, and the buttons that start, pause and stop it."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QProgressBar, QWidget
from smalltumor.training.runs.status import RunState, RunStatus
from superqt import QElidingLabel

from napari_smalltumor.finetune.run.run_name import RunName
from napari_smalltumor.finetune.run_text import resume_text, state_line
from napari_smalltumor.widgets.layouts import button, column, row, wrapped_label

_PROGRESS_STEPS = 1000
_RESUMABLE = (RunState.PAUSED, RunState.STOPPED, RunState.FAILED)
_START = "Start a new run with the settings on the Train page"

_NOT_YET = "No new run yet. {}."


class RunBar(QWidget):
    """Shows the state of a run; emits the buttons that were clicked."""

    start_clicked = Signal()
    pause_clicked = Signal()
    resume_clicked = Signal(object)
    """Resume; the settings (dict) that change, if any."""
    stop_clicked = Signal()
    log_clicked = Signal()
    open_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.start = button("Start", _START)
        self.pause = button("Pa&use", "Save the run and end its process, to resume it later")
        self.resume = button("R&esume", "Continue from the last saved step")
        self.stop = button("Stop", "Save and stop the run, within five seconds")
        self.resume_smaller = button("", "Continue from the last saved step with less memory")
        self.log = button("Open log", "Show the output of the training process")
        self.open = button("Open run...", "Show another run, also one on another machine")
        self._progress = QProgressBar()
        self._state = wrapped_label()
        self._name, self._trained_on = QElidingLabel(), QElidingLabel()
        self._not_yet = QElidingLabel()
        self._changes: dict[str, int] = {}
        self._may_start, self._problem, self._no_run = True, "", True
        self._lay_out()
        self._connect()
        self.show_status(RunStatus())

    def show_name(self, name: RunName) -> None:
        """Name the run whose state is shown."""
        for label, text in ((self._name, name.line), (self._trained_on, name.folder_line)):
            label.setText(text)
            label.setToolTip(str(name.other_folder if label is self._trained_on else name.run))
            label.setVisible(bool(text))

    def show_status(self, status: RunStatus, *, busy: str = "") -> None:
        """Show the state of a run and enable the buttons that apply to it.

        Parameters
        ----------
        status : RunStatus
        busy : str
            What is being done to the run, such as "Stopping ...".
        """
        live = status.state.is_live
        self._progress.setValue(round(status.fraction * _PROGRESS_STEPS))
        self._no_run = status.state is RunState.NONE
        self._state.setText(busy or state_line(status))
        self._state.setToolTip(status.message)
        self._changes = status.changes if status.state is RunState.FAILED else {}
        self.resume_smaller.setText(resume_text(self._changes))
        self.resume_smaller.setVisible(bool(self._changes))
        self._may_start = not live and not busy
        self._enable_start()
        self.pause.setEnabled(live and not busy)
        self.stop.setEnabled(live and not busy)
        self.resume.setEnabled(status.state in _RESUMABLE and not busy)
        self.resume_smaller.setEnabled(not busy)
        self.log.setEnabled(status.state is not RunState.NONE)

    def set_startable(self, problem: str) -> None:
        """Enable *Start*, or say in its tooltip why a run cannot start.

        Parameters
        ----------
        problem : str
            Empty if a run can start.
        """
        self._problem = problem
        for widget in (self.start, self._not_yet):
            widget.setToolTip(problem or _START)
        self._enable_start()

    def _enable_start(self) -> None:
        """Enable *Start*, or say why not: below the state of the run that is shown, if any is."""
        self.start.setEnabled(self._may_start and not self._problem)
        if self._no_run and self._may_start:
            self._state.setText(f"{self._problem}." if self._problem else state_line(RunStatus()))
        waits = bool(self._problem) and self._may_start and not self._no_run
        self._not_yet.setText(_NOT_YET.format(self._problem) if waits else "")
        self._not_yet.setVisible(waits)

    @property
    def run_name(self) -> str:
        """The name of the run as it is shown."""
        return str(self._name.text())

    @property
    def trained_on(self) -> str:
        """The line about the training folder of the run."""
        return str(self._trained_on.text())

    @property
    def text(self) -> str:
        """The state as it is shown."""
        return self._state.text()

    @property
    def why_no_new_run(self) -> str:
        """Why *Start* is disabled although the run that is shown has ended; empty if it is not."""
        return str(self._not_yet.text())

    def _lay_out(self) -> None:
        self._progress.setRange(0, _PROGRESS_STEPS)
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(8)
        layout = column(self)
        for label in (self._name, self._trained_on):
            label.setElideMode(Qt.TextElideMode.ElideMiddle)
            label.setVisible(False)
            layout.addWidget(label)
        layout.addWidget(self._progress)
        layout.addWidget(self._state)
        layout.addWidget(self._not_yet)
        layout.addWidget(self.resume_smaller)
        # Below every text and at the end of the dock, so that no text that wraps moves a button.
        layout.addLayout(row(self.start, self.pause, self.resume, self.stop))
        layout.addLayout(row(self.log, self.open))

    def _connect(self) -> None:
        self.start.clicked.connect(lambda: self.start_clicked.emit())
        self.pause.clicked.connect(lambda: self.pause_clicked.emit())
        self.resume.clicked.connect(lambda: self.resume_clicked.emit({}))
        self.resume_smaller.clicked.connect(lambda: self.resume_clicked.emit(dict(self._changes)))
        self.stop.clicked.connect(lambda: self.stop_clicked.emit())
        self.log.clicked.connect(lambda: self.log_clicked.emit())
        self.open.clicked.connect(lambda: self.open_clicked.emit())
