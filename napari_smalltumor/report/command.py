"""Write the report of the active patient's regions as they are in the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QFileDialog, QWidget
from smalltumor.data.case import Case
from smalltumor.data.identity.patients import patient_of
from smalltumor.data.made_by import network_warnings
from smalltumor.data.mask_placement.mask_placement import placement_text
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import SmalltumorError
from smalltumor.measures import CaseMeasures, measure_case
from smalltumor.report import (
    ReportDetails,
    case_page,
    check_page,
    image_warnings,
    write_page,
)
from smalltumor.scanner.prepared.preparation_text import preparation_text
from smalltumor.second_look import score_warning

from napari_smalltumor import notify, settings
from napari_smalltumor.export.case_export import case_to_export, no_regions_text
from napari_smalltumor.export.dialogs.destination import Destination
from napari_smalltumor.export.dialogs.other_patients_file import confirm_other_patients_file
from napari_smalltumor.export.dialogs.preconditions import confirm_regions
from napari_smalltumor.export.file_names import with_ending
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.export.source_files import check_no_source, with_sources
from napari_smalltumor.layers.changed_images import check_not_beside
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.masks.region_masks import (
    missing_text,
    other_images_of,
    segmentation_of,
)
from napari_smalltumor.layers.patient import patient_of_shown_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title, name_for_files
from napari_smalltumor.patients.output_folder import output_folder, remember_output_folder
from napari_smalltumor.patients.same_images import same_images_note
from napari_smalltumor.report.details_dialog import ask_for_details
from napari_smalltumor.report.regions_origin import regions_origin, with_saved_state
from napari_smalltumor.viewer import unproxied
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.viewer import Viewer

_ENDING = "_report"
_FILTERS = {"PDF (*.pdf)": (".pdf", ".html", ".htm"), "HTML (*.html)": (".html", ".htm", ".pdf")}


def report_active(viewer: Viewer) -> None:
    """Write the report of the active patient (menu command)."""
    ask_and_report(unproxied(viewer), QApplication.activeWindow())


def ask_and_report(viewer: ViewerModel, parent: QWidget | None) -> None:
    """Ask for what the page states and for its file, and write it in a worker."""
    case = case_to_export(viewer)
    if case is None:
        notify.error(no_regions_text(viewer, "to report on"))
        return
    if not confirm_regions(parent, viewer, case, "Report anyway"):
        return
    patient = patient_of_shown_case(viewer.layers, case)
    title = active_patient(viewer).title_of(patient)
    stated = ask_for_details(parent, title, {"the scan": case})
    if stated is None:
        return
    try:
        destination = ask_for_page(viewer, case, parent)
    except SmalltumorError as error:
        notify.report_error(error)
        return
    if destination is not None:
        (scan_date,) = stated.dates
        write_report(viewer, case, destination, reviewer=stated.reviewer, scan_date=scan_date)
        remember_output_folder(patient, destination.path)


def write_report(
    viewer: ViewerModel,
    case: Case,
    destination: Destination,
    *,
    reviewer: str = "",
    scan_date: str = "",
) -> None:
    """Measure the regions of a case with their edits and write the page, in a worker.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    destination : Destination
        Ending in .html or .pdf.
    reviewer, scan_date : str
        Empty if they are not to be stated.
    """
    ensure_nesting(viewer).apply()
    composed = segmentation_of(viewer.layers, case)
    assert composed is not None
    segmentation = with_sources(composed, viewer.layers)
    threshold = settings.get("threshold")
    missing = missing_text(viewer.layers, case)
    other = other_images_of(viewer.layers, case)
    patient = patient_of_shown_case(viewer.layers, case)
    of_others = same_images_note(active_patient(viewer), viewer.layers, patient)
    title, is_saved = case_title(viewer, case), save_state(viewer).is_saved

    def write() -> Path:
        measures = measure_case(case, segmentation, threshold=threshold)
        details = ReportDetails(
            patient=patient_of(case.name),
            scan_date=scan_date,
            mask=with_saved_state(regions_origin(segmentation), is_saved=is_saved),
            model=_model(segmentation),
            made_by=segmentation.made_by,
            reviewer=reviewer,
            warnings=tuple(
                filter(
                    None, (of_others, other, missing, *warnings_of(case, segmentation, measures))
                )
            ),
            title=title,
            images=preparation_text(case),
        )
        page = case_page(case, segmentation.classes, measures, details)
        destination.check()
        return write_page(page, destination.path, overwrite=destination.overwrite)

    def on_written(written: Path) -> None:
        notify.info(f"Wrote {written.name} to {written.parent}")

    name = f"report of {title}"
    run_in_thread(write, QApplication.instance(), on_written, notify.report_error, name=name)


def ask_for_page(
    viewer: ViewerModel, case: Case, parent: QWidget | None, ending: str = _ENDING
) -> Destination | None:
    """Ask for the page to write; None if the user cancels.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    parent : QWidget or None
    ending : str
        End of the name that is proposed.

    Raises
    ------
    SmalltumorError
        If the page cannot be written.
    """
    patient = patient_of_shown_case(viewer.layers, case)
    title = active_patient(viewer).title_of(patient)
    start = output_folder(viewer, patient) / f"{name_for_files(viewer, case)}{ending}.pdf"
    chosen, file_type = QFileDialog.getSaveFileName(
        parent,
        f"Report of {title}",
        str(start),
        ";;".join(_FILTERS),
        options=QFileDialog.Option.DontConfirmOverwrite,  # `confirm_replacing_files` asks
    )
    if not chosen:
        return None
    endings = _FILTERS.get(file_type, next(iter(_FILTERS.values())))
    path = with_ending(Path(chosen), endings, "a report")
    check_no_source([path], viewer.layers)
    check_not_beside([path], case)
    check_page(path, overwrite=True, sources=case.sources)
    if not confirm_other_patients_file(parent, viewer, patient, path, "measures", ending):
        return None
    return Destination.confirmed(parent, path, f"the report of {title}")


def _model(segmentation: Segmentation) -> str:
    run, made_by = segmentation.run, segmentation.made_by
    if run is not None:
        return f"{run.weights} ({run.backend})"
    return "" if made_by is None else made_by.model


def warnings_of(case: Case, segmentation: Segmentation, measures: CaseMeasures) -> tuple[str, ...]:
    """Reasons to doubt the mask and the images, and what the run of the network has found."""
    run = segmentation.run
    if run is not None:
        of_run = (*map(str, run.findings), *run.all_warnings)
    else:
        of_run = tuple(network_warnings(segmentation.made_by, "the mask"))
    has_scores = any(each.lesion.score is not None for each in measures.lesions)
    of_scores = score_warning(segmentation) if has_scores else None
    of_images = image_warnings(case, of_network=bool(_model(segmentation)))
    of_mask = placement_text(case, segmentation.classes)
    return tuple(
        dict.fromkeys((*filter(None, [of_mask]), *of_images, *of_run, *filter(None, [of_scores])))
    )
