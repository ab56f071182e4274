"""Starts the next run on the chosen training folder, and says why none can start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QObject
from smalltumor.errors import SmalltumorError
from smalltumor.text import list_text
from smalltumor.training.runs import run_control
from smalltumor.training.runs.status import RunStatus

from napari_smalltumor import notify, questions
from napari_smalltumor.finetune.cases.training_folder import TrainingFolder
from napari_smalltumor.finetune.next_run.expected_length import measured_speed
from napari_smalltumor.finetune.next_run.new_run import new_request
from napari_smalltumor.finetune.panel import FinetunePanel
from napari_smalltumor.finetune.runs_folder import RUNS

_CHANGED = (
    "The cases in {} have changed. Check on the page Train what a run would do now, then start it"
)


class NextRun(QObject):
    """Tells the *Train* page and the run bar what is in the training folder.

    Parameters
    ----------
    folder : TrainingFolder
    panel : FinetunePanel
    parent : QObject
    """

    def __init__(self, folder: TrainingFolder, panel: FinetunePanel, parent: QObject) -> None:
        super().__init__(parent)
        self._folder, self._panel = folder, panel
        folder.cases_listed.connect(panel.train.set_cases)
        folder.cases_listed.connect(self._show_startable)
        folder.folder_changed.connect(self._show_startable)
        folder.cases_listed.connect(self._show_speed)
        panel.train.validation.changed.connect(self._show_startable)
        panel.train.validation_searched.connect(self._show_startable)
        self._measured: tuple[Path | None, bool] | None = None
        self._show_startable()

    def start(self) -> Path | None:
        """Start a run with the settings on the *Train* page.

        Returns
        -------
        Path or None
            The run folder; None if no run has started, which is reported.
        """
        folder = self._folder.path
        if folder is None:
            notify.error("Choose a folder of training cases first.")
            self._panel.show_page(self._panel.cases)
            return None
        if self._folder.has_changed():
            notify.error(f"{_CHANGED.format(folder)}.")
            self._panel.show_page(self._panel.train)
            return None
        others = self._folder.other_masks()
        if others and not questions.confirm(
            self._panel, "Other masks?", _others_text(others), "Start anyway"
        ):
            self._panel.show_page(self._panel.cases)
            return None
        try:
            request = new_request(folder, self._panel.train)
            run_control.start(request)
        except SmalltumorError as error:
            notify.report_error(error)
            return None
        return request.run

    def on_polled(self, run: Path | None, status: RunStatus) -> None:
        """Measure again when another run is shown, or this one begins or ends."""
        shown = (run, status.state.is_live)
        if shown != self._measured:
            self._measured = shown
            self._show_speed()

    def _show_speed(self, listed: object = None) -> None:
        """Measure how long a run takes from the newest one in the training folder."""
        folder = self._folder.path
        self._panel.train.set_speed(measured_speed(folder / RUNS) if folder is not None else None)

    def _show_startable(self, changed: object = None) -> None:
        self._panel.run_bar.set_startable(self._folder.problem or self._panel.train.problem)


def _others_text(titles: Sequence[str]) -> str:
    add = "it" if len(titles) == 1 else "each of them"
    return (
        f"The masks of {list_text(titles)} in the viewer differ from those in the training folder, "
        f"on which the network would be trained. To train on the masks in the viewer, cancel, and "
        f"add {add} again on the page Cases."
    )
