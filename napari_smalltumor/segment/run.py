"""A segmentation of one patient, from its start until its layers are in the viewer.

It belongs to the window: it goes on when the Segment dock is closed, and a dock that is opened
meanwhile shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QMainWindow
from smalltumor.errors import SmalltumorError

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.layers.masks.region_masks import fingerprint
from napari_smalltumor.layers.masks.regions import hide_stored_labels, segmentation_steps
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.cases_in_use import use_case
from napari_smalltumor.patients.messages import while_not_active
from napari_smalltumor.progress_worker import ProgressWorker, start
from napari_smalltumor.segment.job import JobResult, SegmentationJob
from napari_smalltumor.segment.replaced_edits import confirm_replacing_new_edits
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

_CANCEL_TIMEOUT_MS = 1000
"""A run that has not stopped after this time is abandoned: its result is discarded."""
_RETRY_MS = 200
"""A result that waits for the user is tried again after this time."""


class SegmentRun(QObject):
    """Runs a job in a worker and shows its result. A viewer has one run at a time.

    Parameters
    ----------
    viewer : ViewerModel
    job : SegmentationJob
    patient : Patient
    placement : mapping of str to object
        Attributes with which the layers are placed, as `segmentation_steps` takes them.
    window : QMainWindow or None
        The viewer's window; the run is cancelled when it is closed.
    """

    progressed = Signal(float, str)
    """The fraction that is done, and the step."""
    cancelling = Signal()
    ended = Signal(bool, str)
    """Whether the result was added to the viewer, and what to say about it."""

    def __init__(
        self,
        viewer: ViewerModel,
        job: SegmentationJob,
        patient: Patient,
        placement: Mapping[str, Any],
        window: QMainWindow | None,
    ) -> None:
        super().__init__(window)
        self._viewer = unproxied(viewer)
        self._job, self._patient, self._placement = job, patient, placement
        self._patients = active_patient(viewer)
        self._shown: Iterator[Labels] = iter(())
        self._state = (0.0, "starting")
        self._checksum_before = fingerprint(viewer.layers, job.case)
        self._cancel_timer = _timer(self, self._abandon)
        self._next_layer_timer = _timer(self, self._show_next_when_idle)
        if window is not None:
            window.installEventFilter(self)
        _RUNS[self._viewer] = self
        self._end_use = use_case(viewer, job.case, "segmented", cancel=self.cancel)
        self.worker: ProgressWorker | None = start(
            job,
            str(job),
            window=window,
            yielded=self._on_progress,
            returned=self._on_returned,
            errored=self._on_error,
            aborted=self._abandon,
        )
        self.destroyed.connect(self.worker.quit)
        self._patients.changed.connect(self._report)
        self._patients.patients_changed.connect(self._cancel_if_patient_closed)

    @property
    def progress(self) -> tuple[float, str]:
        """The fraction that is done, and the step; with the patient's name if another is active."""
        fraction, step = self._state
        return fraction, self._named(step)

    @property
    def is_cancelling(self) -> bool:
        """Whether the run has been requested to stop."""
        return self.worker is not None and self.worker.abort_requested

    @property
    def is_of_active(self) -> bool:
        """Whether the active patient is being segmented, and not another one."""
        return self._patient == self._patients.current

    @property
    def title(self) -> str:
        """Name of the patient, for the user."""
        return self._patients.title_of(self._patient)

    def cancel(self) -> None:
        """Request the run to stop, and abandon it if it does not stop soon."""
        if self.worker is not None:
            self.worker.quit()
            self._cancel_timer.start(_CANCEL_TIMEOUT_MS)
            self.cancelling.emit()
            self._state = (self._state[0], "cancelling")
            self._report()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Cancel the run when the window has been closed, unless napari's question kept it open."""
        if event.type() == QEvent.Type.Close:
            QTimer.singleShot(0, self._cancel_if_closed)
        return False

    def _cancel_if_closed(self) -> None:
        if isalive(self) and not (isalive(self.parent()) and self.parent().isVisible()):
            self.cancel()

    def _cancel_if_patient_closed(self) -> None:
        """Cancel the run of a patient whose last layer was removed: nothing would show it."""
        if isalive(self) and self._is_closed and self.worker is not None and not self.is_cancelling:
            notify.info(f"{self.title} was closed, and its segmentation was cancelled.")
            self.cancel()

    @property
    def _is_closed(self) -> bool:
        return self._patient not in self._patients.patients

    def _abandon(self) -> None:
        if self.worker is not None:
            self._end("Cancelled")

    def _on_progress(self, state: tuple[float, str]) -> None:
        if self.worker is not None and not self.is_cancelling:
            self._state = state
            self._report()

    def _report(self) -> None:
        if isalive(self):
            self.progressed.emit(*self.progress)

    def _named(self, text: str) -> str:
        """A text about the run, with the patient's name if another patient is active."""
        return text if self.is_of_active or not text else f"{self.title}: {text}"

    def _on_error(self, error: Exception) -> None:
        """Report an error; the docks show it as long as its patient is active."""
        if self.worker is not None:
            self._end(not_segmented_text(error))
            notify.report_error(error)

    def _on_returned(self, result: JobResult) -> None:
        """Show the result, unless the run was abandoned, or cancelled while it was on its way.

        While a dialog is open, or under the brush, the result waits.
        """
        if self.worker is None:
            return
        if self.worker.abort_requested:
            self._end("Cancelled")
        elif questions.user_is_busy():
            _timer(self, partial(self._on_returned, result)).start(_RETRY_MS)
        else:
            self._on_result(result)

    def _on_result(self, result: JobResult) -> None:
        """Fill the layers in the turn in which they are compared: no stroke is between the two."""
        case = self._job.case
        self._cancel_timer.stop()
        self._forget_worker()  # there is nothing left to cancel
        if self._is_closed:
            self._end("")
            return
        changed = fingerprint(self._viewer.layers, case) != self._checksum_before
        if changed and not confirm_replacing_new_edits(self.title):
            self._end("Your edits were kept and the result was discarded")
            return
        self._shown = segmentation_steps(
            self._viewer,
            case,
            result.segmentation,
            result.masks,
            style=settings.get("style"),
            placement=self._placement,
        )
        self._show_next()

    def _show_next_when_idle(self) -> None:
        """Add the next layer; what is painted, or under a menu, stays as it is meanwhile."""
        if questions.user_is_busy():
            self._next_layer_timer.start(_RETRY_MS)
        else:
            self._show_next()

    def _show_next(self) -> None:
        """Add the next layer; the window is drawn before the one after it."""
        if self._is_closed:
            self._end("")
            return
        try:
            is_shown = not self._add_next()
        except Exception as error:  # of whatever draws the layer: the run must end all the same
            self._end("The result could not be shown")
            notify.report_error(error)
            return
        if not is_shown:
            self._next_layer_timer.start(0)
            return
        if self._patient != self._patients.current:
            text = f"{self.title} is segmented. Choose it under Patient to see the result."
            holds = while_not_active(self._patient)
            notify.info(self._patients.messages.about(self._patient, text, holds))
        self._end("", shown=True)

    def _add_next(self) -> bool:
        """Add the next layer; return whether there may be more."""
        with self._patients.in_background():
            if next(self._shown, None) is not None:
                return True
            hide_stored_labels(self._viewer.layers, self._patient)
        return False

    def _end(self, message: str, *, shown: bool = False) -> None:
        self._cancel_timer.stop()
        self._forget_worker()
        self._shown = iter(())  # no more regions follow: those that are there can be saved
        self._patients.changed.disconnect(self._report, missing_ok=True)
        self._patients.patients_changed.disconnect(self._cancel_if_patient_closed, missing_ok=True)
        _RUNS.pop(self._viewer, None)
        self._end_use()
        if not shown:
            self._patients.patients_changed.emit()  # some regions may have been added
        self.ended.emit(shown, "" if self._is_closed else self._named(message))
        self.deleteLater()

    def _forget_worker(self) -> None:
        if self.worker is not None:
            self.destroyed.disconnect(self.worker.quit)
            self.worker = None


_RUNS: WeakKeyDictionary[ViewerModel, SegmentRun] = WeakKeyDictionary()


def run_in(viewer: ViewerModel) -> SegmentRun | None:
    """The run that is in progress in a viewer."""
    run = _RUNS.get(unproxied(viewer))
    return run if run is not None and isalive(run) else None


def not_segmented_text(error: Exception) -> str:
    """What the dock says of an error as long as its patient is active, or until the next run."""
    if isinstance(error, SmalltumorError):
        return f"⚠ Not segmented: {notify.error_text(error)}"
    return "⚠ Not segmented, because of an error in the program"


def _timer(parent: QObject, slot: Callable[[], None]) -> QTimer:
    """Create a single-shot timer that is deleted with its parent."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.timeout.connect(slot)
    return timer
