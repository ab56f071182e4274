"""Folders that hold a scan and no case: offer to prepare it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.scanner.archive import is_archive
from smalltumor.scanner.dicom.study_folder import StudyOfFile
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.studies import FolderContent, Study, find_studies
from smalltumor.scanner.volume_series import series_of_file

from napari_smalltumor import notify, settings
from napari_smalltumor.loading.jobs.job import LoadJob
from napari_smalltumor.loading.jobs.load import load, loads_in_background
from napari_smalltumor.main_window.segment_dock_opener import segment_dock_opener
from napari_smalltumor.scanner.archives import remove_unpacked, unpacked_folder
from napari_smalltumor.scanner.plan import Plan
from napari_smalltumor.viewer import qt_main_window, unproxied
from napari_smalltumor.widgets.docks.open_dock import open_dock

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_smalltumor.layers.create import LayerData
    from napari_smalltumor.scanner.preparation import Preparation

PREPARED_DOCK = "Prepared scan"

MAX_SEQUENCES = 20
"""A folder with more volumes of which no name tells the sequence holds many patients."""


def offer_scan(
    viewer: ViewerModel,
    scan: Path,
    open_folder: Callable[..., None],
    otherwise: Callable[[], None],
    of_file: StudyOfFile | None = None,
) -> None:
    """Show the dialog that prepares a scan, if there is one; one that is shown already is raised.

    Parameters
    ----------
    viewer : ViewerModel
    scan : Path
        A folder or a zip archive.
    open_folder : callable
        Opens the folder of a case, and calls its second argument with the layers.
    otherwise : callable
        Called if there are no series that may be a scan of the brain.
    of_file : StudyOfFile, optional
        As for `Plan`.
    """
    from napari_smalltumor.scanner.dialog import open_dialog

    dialog = open_dialog(scan, of_file)
    if dialog is not None:
        dialog.raise_()
        dialog.activateWindow()
        return
    look = partial(_look_for_scan, viewer, scan, open_folder, otherwise, of_file)
    if is_archive(scan) and loads_in_background(viewer):
        from napari_smalltumor.scanner.unpacking import unpack_in_background

        unpack_in_background(qt_main_window(viewer), scan, look)
    else:
        look()


def _look_for_scan(
    viewer: ViewerModel,
    scan: Path,
    open_folder: Callable[..., None],
    otherwise: Callable[[], None],
    of_file: StudyOfFile | None,
) -> None:
    plans: list[Plan] = []

    def search() -> list[LayerData]:
        folder = unpacked_folder(scan)
        with suppress(CaseError):  # there is no image at all
            content = find_studies(folder)
            if is_scan(content):
                plans.append(Plan(folder, content, scan, of_file=of_file))
        if not plans:
            remove_unpacked(folder)
        return []

    def show(layers: list[Layer]) -> None:
        if plans:
            show_preparation(viewer, plans[0], open_folder)
        else:
            otherwise()

    key = ("scan in", str(scan), *map(str, of_file or ()))
    load(viewer, LoadJob(f"the series in {scan.name}", key, search, show, notify.report_error))


def offer_files(viewer: ViewerModel, files: CaseFiles, open_folder: Callable[..., None]) -> None:
    """Show the dialog that prepares the images of a case, which are not on one grid.

    Parameters
    ----------
    viewer : ViewerModel
    files : CaseFiles
        No other file of their folder is shown, which may be of another patient.
    open_folder : callable
        As for `offer_scan`.
    """
    plans: list[Plan] = []

    def search() -> list[LayerData]:
        series = tuple(series_of_file(p) for paths in files.modalities.values() for p in paths)
        content = FolderContent((Study("", files.name, "", series),), ())
        plans.append(Plan(files.folder, content, case_name=files.name))
        return []

    def show(layers: list[Layer]) -> None:
        show_preparation(viewer, plans[0], open_folder)

    key = ("images of", str(files.folder), files.name)
    load(viewer, LoadJob(files.name, key, search, show, notify.report_error))


def check_no_scan(folder: Path, files: CaseFiles) -> None:
    """Check that the images of a folder without a T1CE, by their names, are no scan with one.

    Raises
    ------
    CaseError
    """
    if REFERENCE in files.modalities or files.stacked is not None:
        return
    try:
        content = find_studies(folder)
    except SmalltumorError:
        return
    if _holds_dicom_series(content) or _may_have_t1ce(content):
        raise CaseError(f"{folder} holds a scan that is not a case yet")


def report_no_series(scan: Path) -> None:
    """Tell the user that a folder or archive holds no scan."""
    text = f"{scan} holds no series of the head, in DICOM or NIfTI files"
    notify.report_error(CaseError(text))


def is_scan(content: FolderContent) -> bool:
    """Whether a folder holds series with UIDs, or volumes with a T1CE or of unknown sequences."""
    return any(one.uid for study in content.studies for one in study.series) or _may_have_t1ce(
        content
    )


def _holds_dicom_series(content: FolderContent) -> bool:
    """Whether there are series of DICOM files; converters write UIDs beside volumes, too."""
    return any(one.grid is not None for study in content.studies for one in study.series)


def _may_have_t1ce(content: FolderContent) -> bool:
    return any(
        REFERENCE in (chosen := assign(study.series).chosen)
        or (not chosen and 1 < len(study.series) <= MAX_SEQUENCES)
        for study in content.studies
    )


def show_preparation(
    viewer: ViewerModel, plan: Plan, open_folder: Callable[..., None]
) -> Preparation:
    """Show the dialog that prepares a scan and then opens the case."""
    from napari_smalltumor.scanner.preparation import Preparation

    settings.remember_folder(plan.location)

    def open_prepared(folder: Path) -> None:
        open_folder(folder, partial(_show_dock, viewer))

    preparation = Preparation(qt_main_window(viewer), plan, open_prepared)
    preparation.dialog.show()
    return preparation


def _show_dock(viewer: ViewerModel, layers: list[Layer]) -> None:
    """Show how well the scan was prepared, beside the dock that segments it."""
    window_viewer: Any = unproxied(viewer)
    if hasattr(window_viewer, "window"):
        segment_dock_opener(window_viewer).open_first()
        open_dock(window_viewer, PREPARED_DOCK)
