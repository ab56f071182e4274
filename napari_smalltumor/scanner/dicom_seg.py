"""Export the active patient's regions as a DICOM SEG of the scan that they were drawn on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget
from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.naming.export_names import EXPORT_ENDING
from smalltumor.errors import CaseError, OutputError
from smalltumor.extras import MissingPackageError
from smalltumor.scanner.dicom_seg import (
    SUFFIX,
    SeriesOfMaskError,
    check_packages,
    series_of_segmentation,
    write_dicom_seg_of_series,
)
from smalltumor.scanner.prepared.stored_case import stored_series_uid

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.deferred_calls import once_idle
from napari_smalltumor.export.dialogs.destination import Destination
from napari_smalltumor.export.dialogs.export_dialog import case_to_export_or_say
from napari_smalltumor.export.dialogs.other_patients_file import confirm_other_patients_file
from napari_smalltumor.export.dialogs.preconditions import confirm_regions
from napari_smalltumor.export.file_names import with_ending
from napari_smalltumor.layers.changed_images import no_longer_shown_text
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.masks.incomplete_results import check_complete
from napari_smalltumor.layers.masks.region_masks import segmentation_of
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.layers.patient import patient_of_shown_case
from napari_smalltumor.patients.case_title import case_title, name_for_files, with_title
from napari_smalltumor.scanner.archives import beside_scan, is_unpacked, unpacked_folder
from napari_smalltumor.scanner.known_scans import forget_scan, remember_scan, scan_of
from napari_smalltumor.viewer import unproxied
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.viewer import Viewer
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.scanner.series import Series


def export_active_as_dicom_seg(viewer: Viewer) -> None:
    """Export the case of the active patient as a DICOM SEG (menu command)."""
    ask_and_export_dicom_seg(unproxied(viewer), QApplication.activeWindow())


def ask_and_export_dicom_seg(viewer: ViewerModel, parent: QWidget | None) -> None:
    """Ask for the folder of the scan unless it is known, look there, ask for a file, and export."""
    case = case_to_export_or_say(viewer)
    if case is None:
        return
    try:
        check_packages()
    except MissingPackageError as error:
        notify.report_error(error)
        return
    title = case_title(viewer, case)
    if case.has_changed_images:  # the file would refer to the scan of the images there now
        notify.error(
            f"{no_longer_shown_text(case, title)}; a DICOM SEG cannot refer to their scan."
        )
        return
    if not confirm_regions(parent, viewer, case, "Export anyway"):
        return
    study = _study_of(case, title, parent)
    if study is not None:
        _find_and_export(viewer, case, study, parent)


def _find_and_export(viewer: ViewerModel, case: Case, study: Path, parent: QWidget | None) -> None:
    """Look in a worker for the series of a case in a study, then ask for a file, and export.

    If it is not there, another folder can be chosen.
    """
    try:
        segmentation = _composed(viewer, case)
    except OutputError as error:
        notify.report_error(error)
        return

    def window() -> QWidget | None:
        return parent if parent is not None and isalive(parent) else None

    def find() -> Series:
        found = series_of_segmentation(
            segmentation, unpacked_folder(study), series_uid=stored_series_uid(case)
        )
        return found.series

    def on_found(series: Series) -> None:
        if not region_layers(viewer.layers, case):  # closed meanwhile
            return
        destination = _destination(study, viewer, case, window())
        if destination is None:
            return
        try:
            export_dicom_seg(viewer, case, study, series, destination)
        except OutputError as error:  # a new result came meanwhile
            notify.report_error(error)

    def on_failed(error: Exception) -> None:
        if not isinstance(error, SeriesOfMaskError):
            notify.report_error(error)
            return
        forget_scan(_folder_of(case))
        if region_layers(viewer.layers, case):
            other = _other_study(case, case_title(viewer, case), error, window())
            if other is not None:
                _find_and_export(viewer, case, other, parent)

    name = f"series of {case_title(viewer, case)}"
    application = QApplication.instance()
    found, failed = once_idle(application, on_found), once_idle(application, on_failed)
    run_in_thread(find, application, found, failed, name=name)


def _composed(viewer: ViewerModel, case: Case) -> Segmentation:
    check_complete(region_layers(viewer.layers, case).values(), case_title(viewer, case))
    ensure_nesting(viewer).apply()
    segmentation = segmentation_of(viewer.layers, case)
    assert segmentation is not None
    return segmentation


def export_dicom_seg(
    viewer: ViewerModel,
    case: Case,
    study: Path,
    series: Series,
    destination: Destination,
) -> None:
    """Write the regions of a case, with their edits, in a worker.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    study : Path
        Folder or archive that holds the series.
    series : Series
        That on whose grid the case is.
    destination : Destination
        An existing DICOM SEG may be replaced; other files never are.

    Raises
    ------
    OutputError
        If regions of a result are still being added.
    """
    segmentation = _composed(viewer, case)
    autosave = ensure_autosave(viewer).autosave
    shown = autosave.checksums(region_layers(viewer.layers, case).values())

    path = destination.path

    def write() -> None:
        destination.check()
        overwrite = destination.overwrite
        write_dicom_seg_of_series(segmentation, series, path, overwrite=overwrite)

    def on_written(result: None) -> None:
        remember_scan(_folder_of(case), study)
        autosave.mark_exported(shown, [path])
        settings.remember_folder(path, saving=True)
        refers = f"the series {series.title} of {series.study_title}"
        notify.info(f"Wrote {path.name} to {path.parent}; it refers to {refers}")

    name = f"DICOM SEG of {case_title(viewer, case)}"
    run_in_thread(write, QApplication.instance(), on_written, notify.report_error, name=name)


def _study_of(case: Case, title: str, parent: QWidget | None) -> Path | None:
    folder = _folder_of(case)
    known = scan_of(folder, earlier_sessions=_has_series_uid(case))
    if known is not None:
        return known
    return _ask_for_study(case, title, parent)


def _other_study(
    case: Case, title: str, error: SeriesOfMaskError, parent: QWidget | None
) -> Path | None:
    """Another folder than one without the series of a case; None if the user cancels."""
    text = with_title(title, case.name, f"{notify.sentence(notify.error_text(error))}.")
    if not questions.confirm(parent, f"Not the study of {title}", text, "Choose another folder"):
        return None
    return _ask_for_study(case, title, parent)


def _ask_for_study(case: Case, title: str, parent: QWidget | None) -> Path | None:
    question = f"Folder of the DICOM study of {title}"
    start = str(_folder_of(case).parent)
    chosen = QFileDialog.getExistingDirectory(parent, question, start)
    return Path(chosen) if chosen else None


def _has_series_uid(case: Case) -> bool:
    """Whether the record of a case tells its series; a folder may hold another scan by now."""
    try:
        return bool(stored_series_uid(case))
    except CaseError:  # told when the file is written
        return False


def _destination(
    study: Path, viewer: ViewerModel, case: Case, parent: QWidget | None
) -> Destination | None:
    """The file to write, by default beside the folder of the scan; None if the user cancels."""
    name, title = name_for_files(viewer, case), case_title(viewer, case)
    chosen, _ = QFileDialog.getSaveFileName(
        parent,
        f"Export a DICOM SEG of {title}",
        str(beside_scan(study) / f"{name}{EXPORT_ENDING}{SUFFIX}"),
        f"DICOM SEG (*{SUFFIX})",
        options=QFileDialog.Option.DontConfirmOverwrite,  # `confirm_replacing_files` asks
    )
    if not chosen:
        return None
    try:
        path = with_ending(Path(chosen), (SUFFIX,), "a DICOM SEG")
    except OutputError as error:
        notify.report_error(error)
        return None
    if is_unpacked(path):
        notify.error(f"{path.parent} is deleted when napari ends; choose another folder.")
        return None
    patient = patient_of_shown_case(viewer.layers, case)
    if not confirm_other_patients_file(parent, viewer, patient, path, "regions"):
        return None
    return Destination.confirmed(parent, path, f"the regions of {title}")


def _folder_of(case: Case) -> Path:
    path = case.paths.get(REFERENCE)
    return Path(case.name) if path is None else path.parent
