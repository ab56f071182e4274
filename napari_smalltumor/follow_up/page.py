"""Write the page of a comparison with an earlier scan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QWidget
from smalltumor.errors import SmalltumorError
from smalltumor.follow_up import patients_text
from smalltumor.report import ReportDetails, write_page
from smalltumor.report.follow_up_page import follow_up_page

from napari_smalltumor import notify
from napari_smalltumor.export.dialogs.destination import Destination
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.follow_up.comparison import Comparison
from napari_smalltumor.layers.patient import patient_of_shown_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.output_folder import remember_output_folder
from napari_smalltumor.report.command import ask_for_page
from napari_smalltumor.report.details_dialog import ask_for_details
from napari_smalltumor.report.regions_origin import with_saved_state
from napari_smalltumor.report.stated_details import StatedDetails
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.components import ViewerModel

_ENDING = "_follow-up"
_SCANS = ("the earlier scan", "the current scan")


def ask_and_write_page(viewer: ViewerModel, comparison: Comparison, parent: QWidget | None) -> None:
    """Ask for what the page states and for its file, and write it in a worker."""
    patient = patient_of_shown_case(viewer.layers, comparison.case)
    title = active_patient(viewer).title_of(patient)
    cases = [scan.case for scan in comparison.follow_up.scans]
    stated = ask_for_details(parent, title, dict(zip(_SCANS, cases, strict=True)))
    if stated is None:
        return
    try:
        destination = ask_for_page(viewer, comparison.case, parent, _ENDING)
    except SmalltumorError as error:
        notify.report_error(error)
        return
    if destination is not None:
        _write(comparison, destination, stated, is_saved=save_state(viewer).is_saved)
        remember_output_folder(patient, destination.path)


def _write(
    comparison: Comparison, destination: Destination, stated: StatedDetails, *, is_saved: bool
) -> None:
    *before, current = comparison.follow_up.scans
    current = replace(current, mask=with_saved_state(current.mask, is_saved=is_saved))
    scans = tuple(
        replace(scan, date=date)
        for scan, date in zip((*before, current), stated.dates, strict=True)
    )
    follow_up = replace(comparison.follow_up, scans=scans)
    dated = replace(comparison, follow_up=follow_up)

    def write() -> Path:
        details = ReportDetails(
            patient=patients_text(scans),
            model=comparison.model,
            reviewer=stated.reviewer,
            warnings=dated.warnings,
        )
        page = follow_up_page(follow_up, details)
        destination.check()
        return write_page(page, destination.path, overwrite=destination.overwrite)

    def on_written(written: Path) -> None:
        notify.info(f"Wrote {written.name} to {written.parent}")

    name = f"follow-up of {comparison.case.name}"
    run_in_thread(write, QApplication.instance(), on_written, notify.report_error, name=name)
