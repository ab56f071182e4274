"""Predicts validation cases in a worker, and says on the *Monitor* page what becomes of that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_smalltumor import notify, settings
from napari_smalltumor.deferred_calls import once_idle
from napari_smalltumor.finetune.run.monitor_page import MonitorPage
from napari_smalltumor.finetune.run.prediction import (
    Prediction,
    is_closed_since,
    predict,
    show_prediction,
)
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.viewer import Viewer


class RunPrediction(QObject):
    """Segments validation cases with the network that a run saved last.

    Parameters
    ----------
    viewer : Viewer
    page : MonitorPage
    parent : QObject

    Attributes
    ----------
    run : Path or None
        The run folder that the page shows.
    is_open : bool
        Whether a result is still to be shown.
    """

    ended = Signal(bool)
    """A prediction has finished; whether it was added to the viewer."""

    def __init__(self, viewer: Viewer, page: MonitorPage, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._page = viewer, page
        self.run: Path | None = None
        self.is_open = True

    def start(self, name: str) -> None:
        """Predict a validation case of the run."""
        run, device = self.run, settings.get("device")
        if run is None or not name:
            return
        patients = active_patient(self._viewer)
        before = tuple(patients.patients)
        self._page.set_predicting(True, f"Segmenting {name} ...")

        def done(prediction: Prediction) -> None:
            is_closed = is_closed_since(self._viewer, prediction.case, before)
            is_shown = self.is_open and not is_closed
            try:
                if is_shown:  # the user may be painting by now
                    background = patients.current is not None
                    show_prediction(self._viewer, prediction, background=background)
            except Exception as error:  # the page must not stay busy
                failed(error)
                return
            finish(
                f"{name} was closed, so its prediction is not shown"
                if is_closed
                else prediction.text
            )
            self.ended.emit(is_shown)

        def failed(error: Exception) -> None:
            if self.is_open:
                notify.report_error(error)
            finish("")
            self.ended.emit(False)

        def finish(message: str) -> None:
            if run == self.run:
                self._page.set_predicting(False, message)

        work = lambda: predict(run, name, device)  # noqa: E731
        run_in_thread(work, self, once_idle(self, done), failed, name=f"prediction of {name}")
