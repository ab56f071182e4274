"""The comparison of each open patient with an earlier scan, and the one that runs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from smalltumor.errors import SmalltumorError

from napari_smalltumor import notify, settings
from napari_smalltumor.deferred_calls import once_idle
from napari_smalltumor.follow_up.comparison import (
    Comparison,
    cases_with_regions,
    compare_with_earlier,
)
from napari_smalltumor.follow_up.earlier_layers import show_earlier
from napari_smalltumor.layers.masks.region_masks import (
    fingerprint,
    missing_text,
    other_images_of,
    segmentation_of,
)
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.progress_worker import ProgressWorker, start

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from smalltumor.data.case import Case


class ComparisonRuns(QObject):
    """Compares patients with earlier scans, one at a time, and keeps what was found for each.

    Parameters
    ----------
    viewer : Viewer
    parent : QObject
        The comparison that runs is cancelled when it is deleted.
    """

    changed = Signal()
    """A comparison has started or ended."""
    progressed = Signal(float, str)
    """The fraction that is done, and the step."""

    def __init__(self, viewer: Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._patients = active_patient(viewer)
        self._results: dict[Patient, tuple[Comparison, int]] = {}
        self._outcomes: dict[Patient, str] = {}
        self._running: tuple[Patient, str] | None = None
        self.worker: ProgressWorker | None = None

    @property
    def busy(self) -> bool:
        """Whether a comparison runs."""
        return self.worker is not None

    @property
    def current(self) -> Comparison | None:
        """The comparison of the active patient."""
        found = self._result
        return found[0] if found is not None else None

    @property
    def is_old(self) -> bool:
        """Whether a mask, or the earlier images, have changed since they were compared."""
        if self._result is None:
            return False
        comparison, mark = self._result
        current = fingerprint(self._viewer.layers, comparison.case)
        return current != mark or comparison.mask_has_changed or comparison.images_have_changed

    @property
    def outcome(self) -> str:
        """Why the active patient's last comparison gave nothing; empty if it did."""
        patient = self._patients.current
        return self._outcomes.get(patient, "") if patient is not None else ""

    @property
    def running_text(self) -> str:
        """The comparison that runs, for the user; empty if there is none."""
        if self._running is None:
            return ""
        patient, earlier = self._running
        if patient == self._patients.current:
            return f"Comparing {self._patients.title} with {earlier} ..."
        return f"Comparing another patient, {self._patients.title_of(patient)}, with {earlier} ..."

    def compare(self, folder: Path, case: Case, patient: Patient) -> None:
        """Compare the regions of a patient's case with an earlier scan, in a worker."""
        layers = self._viewer.layers
        segmentation = segmentation_of(layers, case)
        assert segmentation is not None
        mark = fingerprint(layers, case)
        job = partial(
            compare_with_earlier,
            folder,
            case,
            segmentation,
            settings.get("threshold"),
            of_regions=[*filter(None, (other_images_of(layers, case), missing_text(layers, case)))],
            in_window=cases_with_regions(layers),
        )
        earlier = self._patients.title_of(Patient(folder.name, folder))
        self._running = patient, earlier
        self._outcomes[patient] = ""
        self.worker = start(
            job,
            f"comparison of {self._patients.title_of(patient)} with {earlier}",
            owner=self,
            yielded=lambda state: self.progressed.emit(*state),
            returned=once_idle(self, partial(self._on_compared, patient, mark)),
            errored=partial(self._on_failed, patient, earlier),
            aborted=partial(self._end, patient, "The comparison was cancelled."),
        )
        self.changed.emit()

    def cancel(self) -> None:
        """Request the comparison to stop."""
        if self.worker is not None:
            self.worker.quit()

    def forget_closed(self) -> None:
        """Forget what is known of patients that were closed, and end their comparison."""
        is_open = self._patients.patients
        self._results = {p: found for p, found in self._results.items() if p in is_open}
        self._outcomes = {p: text for p, text in self._outcomes.items() if p in is_open}
        if self._running is not None and self._running[0] not in is_open:
            self.cancel()

    @property
    def _result(self) -> tuple[Comparison, int] | None:
        """The comparison of the active patient, and the fingerprint of the regions compared."""
        patient = self._patients.current
        return self._results.get(patient) if patient is not None else None

    def _on_compared(self, patient: Patient, mark: int, comparison: Comparison) -> None:
        if patient in self._patients.patients:
            self._results[patient] = (comparison, mark)
            show_earlier(self._viewer, comparison)
        self._end(patient, "")

    def _on_failed(self, patient: Patient, earlier: str, error: Exception) -> None:
        if isinstance(error, SmalltumorError):
            title = self._patients.title_of(patient)
            outcome = f"{title} compared with {earlier}: {notify.error_text(error)}"
            if patient != self._patients.current:  # whose dock would show it later only
                notify.error(outcome)
            self._end(patient, outcome)
        else:
            notify.report_error(error)
            self._end(patient, "The comparison failed.")

    def _end(self, patient: Patient, outcome: str) -> None:
        self.worker = self._running = None
        self._outcomes[patient] = outcome
        self.changed.emit()
