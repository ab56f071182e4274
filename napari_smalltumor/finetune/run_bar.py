"""What is always in sight of a run: its state, how far it is, and the buttons that steer it."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QProgressBar, QWidget
from smalltumor.training.runs.monitor import RunStatus, State

from napari_smalltumor.finetune.run_text import state_line
from napari_smalltumor.widgets.layouts import button, column, row, wrapped_label

_STEPS = 1000
_MAY_GO_ON = (State.PAUSED, State.STOPPED, State.FAILED)


class RunBar(QWidget):
    """Start, Pause, Resume and Stop; the log; another run."""

    start_clicked = Signal()
    pause_clicked = Signal()
    resume_clicked = Signal(object)
    """Go on, with changed settings (a dict) or as before."""
    stop_clicked = Signal()
    log_clicked = Signal()
    open_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.start = button("S&tart", "Start a new run with the settings on the Train page")
        self.pause = button("Pa&use", "Save and end the process, to go on later")
        self.resume = button("&Resume", "Go on from the last saved step")
        self.stop = button("St&op", "Save and end the run, within five seconds")
        self.smaller = button("", "Go on from the same step with less memory")
        self.log = button("Open &log", "What the training process printed")
        self.open = button("Open r&un...", "Show another run folder, also of another machine")
        self._bar = QProgressBar()
        self._state = wrapped_label()
        self._changes: dict[str, int] = {}
        self._lay_out()
        self._connect()
        self.show_status(None)

    def show_status(self, status: RunStatus | None, *, busy: str = "") -> None:
        """Show how a run stands; None if there is none.

        Parameters
        ----------
        status : RunStatus, optional
        busy : str
            What is being done to the run at this moment, in a word.
        """
        shown = status or RunStatus()
        live = shown.state.is_live
        self._bar.setValue(round(shown.fraction * _STEPS))
        self._state.setText(busy or state_line(shown))
        self._state.setToolTip(shown.message)
        self._changes = shown.changes if shown.state is State.FAILED else {}
        changes = " and ".join(f"{name} {value}" for name, value in self._changes.items())
        self.smaller.setText(f"Go on with {changes}")
        self.smaller.setVisible(bool(changes))
        self.start.setEnabled(not live and not busy)
        self.pause.setEnabled(live and not busy)
        self.stop.setEnabled(live and not busy)
        self.resume.setEnabled(shown.state in _MAY_GO_ON and not busy)
        self.smaller.setEnabled(not busy)
        self.log.setEnabled(shown.state is not State.NONE)

    @property
    def text(self) -> str:
        """The state, as it is shown."""
        return self._state.text()

    def _lay_out(self) -> None:
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        layout = column(self)
        layout.addLayout(row(self.start, self.pause, self.resume, self.stop))
        layout.addWidget(self._bar)
        layout.addWidget(self._state)
        layout.addWidget(self.smaller)
        layout.addLayout(row(self.log, self.open))

    def _connect(self) -> None:
        self.start.clicked.connect(lambda: self.start_clicked.emit())
        self.pause.clicked.connect(lambda: self.pause_clicked.emit())
        self.resume.clicked.connect(lambda: self.resume_clicked.emit({}))
        self.smaller.clicked.connect(lambda: self.resume_clicked.emit(dict(self._changes)))
        self.stop.clicked.connect(lambda: self.stop_clicked.emit())
        self.log.clicked.connect(lambda: self.log_clicked.emit())
        self.open.clicked.connect(lambda: self.open_clicked.emit())
