"""Connects the dialog with the plan of what is prepared, and with the workers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget
from smalltumor.data.case import REFERENCE
from smalltumor.data.volumes.header_checks import header_warnings
from smalltumor.errors import GridMismatchError, SmalltumorError
from smalltumor.files.names import safe_name
from smalltumor.scanner.preparation.steps import SeriesImage, check_registrable, planned_steps
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import Study

from napari_smalltumor import notify
from napari_smalltumor.progress_worker import ProgressWorker, start
from napari_smalltumor.scanner.dialog import PrepareDialog
from napari_smalltumor.scanner.job import PrepareJob
from napari_smalltumor.scanner.known_scans import folder_of_series, remember_scan
from napari_smalltumor.scanner.output_folder import folder_problem, suggested_folder
from napari_smalltumor.scanner.plan import Plan
from napari_smalltumor.scanner.prepared_before import prepared_before
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from smalltumor.scanner.prepared.prepared_case import PreparedCase

_LOOKING = "Looking at the images ..."


class Preparation(QObject):
    """Shows the dialog of a scan and prepares it.

    Parameters
    ----------
    parent : QWidget or None
        The window that the dialog belongs to.
    plan : Plan
    open_prepared : callable
        Opens the folder of the prepared case.
    """

    def __init__(
        self, parent: QWidget | None, plan: Plan, open_prepared: Callable[[Path], None]
    ) -> None:
        self.dialog = PrepareDialog(parent, plan.location)
        super().__init__(self.dialog)
        self._plan, self._open_prepared = plan, open_prepared
        self._images: dict[int, SeriesImage | str] = {}
        self._looking = False
        self._worker: ProgressWorker | None = None
        self._suggested = ""
        self._prepared_case: Path | None = None
        dialog = self.dialog
        dialog.study_chosen.connect(self._choose_study)
        dialog.table.use_changed.connect(self._use)
        dialog.output_changed.connect(self._show_message)
        dialog.prepare_clicked.connect(self.prepare)
        dialog.open_clicked.connect(self._open_case)
        dialog.cancel_clicked.connect(self.cancel)
        if parent is not None:
            parent.installEventFilter(self)
        dialog.show_studies(plan.studies, plan.study)
        self._update()

    @property
    def busy(self) -> bool:
        """Whether images are being looked at, or the scan is being prepared."""
        return self._looking or self._worker is not None

    def prepare(self) -> None:
        """Start the preparation."""
        if self._worker is not None or self._problem:
            return
        output = Path(self.dialog.output.text())
        name = safe_name(output.name)
        folder = folder_of_series(self._plan.chosen.values())
        job = PrepareJob(self._plan.source(name), output, self.dialog.bias_field.isChecked())
        self.dialog.set_running(True)
        self._worker = start(
            job,
            f"preparation of {name}",
            owner=self.dialog,
            stores=True,
            yielded=self._on_progress,
            returned=partial(self._on_prepared, output, folder),
            errored=self._on_error,
            finished=self._end,
        )

    def cancel(self) -> None:
        """Ask the preparation to stop; it does after the step that runs."""
        if self._worker is not None:
            self.dialog.set_cancelling()
            self._worker.quit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Cancel the preparation when the window is closed; minimising it is spontaneous."""
        if event.type() == QEvent.Type.Hide and not event.spontaneous():
            self.cancel()
        return False

    @property
    def _problem(self) -> str:
        chosen = self._plan.chosen.values()
        unreadable = next((t for s in chosen if isinstance(t := self._images.get(id(s)), str)), "")
        text = self.dialog.output.text()
        problem = self._plan.problem or unreadable or self._mirrored
        return problem or folder_problem(text, self._plan.folder)

    @property
    def _notes(self) -> list[str]:
        warnings = [] if self._mirrored else header_warnings(self._chosen_images.values())
        case = self._prepared_case
        before = "" if case is None else f"Prepared already, in {case}."
        return [self._plan.note, *(f"{text}." for text in warnings), before]

    def _prepared_before(self) -> Path | None:
        """The case that was made of the chosen series already; None if none is known."""
        chosen = self._plan.chosen
        if REFERENCE not in chosen:
            return None
        folder, is_only_study = folder_of_series(chosen.values()), len(self._plan.studies) == 1
        return prepared_before(folder, chosen[REFERENCE], is_only_study=is_only_study)

    def _open_case(self) -> None:
        """Open the case that was prepared already."""
        if self._prepared_case is not None:
            self._open_prepared(self._prepared_case)
            self.dialog.close()

    @property
    def _chosen_images(self) -> dict[str, SeriesImage]:
        """The chosen series that were looked at and can be read, by modality."""
        found = {m: self._images.get(id(s)) for m, s in self._plan.chosen.items()}
        return {m: image for m, image in found.items() if isinstance(image, SeriesImage)}

    @property
    def _mirrored(self) -> str:
        """Why an image may be mirrored by its registration; empty if none may."""
        try:
            if REFERENCE in self._chosen_images:
                check_registrable(self._chosen_images)
        except GridMismatchError as error:
            return f"{notify.error_text(error)}."
        return ""

    def _choose_study(self, study: Study) -> None:
        self._plan.choose_study(study)
        self._update()

    def _use(self, series: Series, modality: str | None) -> None:
        self._plan.use(series, modality)
        self._update()

    def _update(self) -> None:
        self.dialog.table.show_series(self._plan.series)
        self._prepared_case = self._prepared_before()
        self.dialog.offer_prepared(self._prepared_case is not None)
        if self.dialog.output.text() == self._suggested:  # the user has not changed it
            suggested = suggested_folder(self._plan.location, self._plan.case_name)
            self._suggested = str(suggested)
            self.dialog.output.setText(self._suggested)
        self._show_steps()
        self._show_message()

    def _show_message(self) -> None:
        if self._worker is None:
            self.dialog.show_message(self._problem, " ".join(filter(None, self._notes)))

    def _show_steps(self) -> None:
        """Show the steps, which depend on the voxels; these are read in a worker."""
        chosen = self._plan.chosen
        if REFERENCE not in chosen:
            self.dialog.show_steps_text("Known when a T1CE is chosen")
            return
        unread = [s for s in chosen.values() if id(s) not in self._images and not s.problem]
        if unread:
            self.dialog.show_steps_text(_LOOKING)
            self._look_at(unread[0])
            return
        images = self._chosen_images
        self.dialog.show_steps(planned_steps(images) if REFERENCE in images else ())

    def _look_at(self, series: Series) -> None:
        if self._looking:
            return
        self._looking = True
        run_in_thread(
            lambda: _image_of(series),
            self,
            partial(self._on_image, series),
            partial(self._on_unexpected, series),
            name=f"reading of {series.title}",
        )

    def _on_image(self, series: Series, image: SeriesImage | str) -> None:
        self._looking = False
        self._images[id(series)] = image
        self._show_steps()
        self._show_message()

    def _on_unexpected(self, series: Series, error: Exception) -> None:
        notify.unexpected(error)
        self._on_image(series, f"{series.title} cannot be read.")

    def _on_progress(self, state: tuple[float, str]) -> None:
        self.dialog.show_progress(*state)

    def _on_error(self, error: Exception) -> None:
        self._end()
        notify.report_error(error)

    def _on_prepared(self, output: Path, scan: Path, case: PreparedCase) -> None:
        if not isalive(self):  # the window was closed while the case was written
            return
        self._end()
        remember_scan(output, scan)
        for warning in case.shown_warnings:
            notify.warn(f"{case.name}: {warning}")
        self._open_prepared(output)
        self.dialog.close()

    def _end(self) -> None:
        """Show that no preparation runs, after its result, its error, or the cancellation."""
        if self._worker is not None:
            self._worker = None
            self.dialog.set_running(False)
            self._show_message()


def _image_of(series: Series) -> SeriesImage | str:
    """What the voxels of a series tell, or why they cannot be read."""
    try:
        return SeriesImage.of(series)
    except SmalltumorError as error:
        return f"{notify.error_text(error)}."
