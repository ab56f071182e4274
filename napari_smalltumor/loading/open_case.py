"""Open a case from a folder or files, without napari's reader dialog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.file_names import parse_file_name
from smalltumor.data.naming.find_cases import find_case_files
from smalltumor.data.naming.grouping import group_files
from smalltumor.data.volumes.nifti import stem
from smalltumor.errors import GridMismatchError, SmalltumorError
from smalltumor.files.transactions.recovery import existing
from smalltumor.scanner.archive import is_archive
from smalltumor.scanner.dicom.study_folder import StudyOfFile

from napari_smalltumor import notify, settings
from napari_smalltumor.layers.changed_images import ChangedFilesError
from napari_smalltumor.loading.dicom_files import is_dicom_slice, open_study_of
from napari_smalltumor.loading.files.already_open import show_open_case, show_open_file
from napari_smalltumor.loading.files.case_layers import layers_of_case
from napari_smalltumor.loading.folders.folder_of_cases import offer_cases
from napari_smalltumor.loading.folders.scans import (
    check_no_scan,
    offer_files,
    offer_scan,
    report_no_series,
)
from napari_smalltumor.loading.jobs.job import LoadJob
from napari_smalltumor.loading.jobs.load import add_layers, load
from napari_smalltumor.loading.reader import layers_of_file
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from napari.viewer import Viewer

    from napari_smalltumor.layers.create import LayerData

_DIALOG_CLOSES_MS = 50


def open_case_folder(viewer: Viewer) -> None:
    """Ask for a folder and open the case in it."""
    from qtpy.QtWidgets import QApplication, QFileDialog

    chosen = QFileDialog.getExistingDirectory(
        QApplication.activeWindow(), "Open case", settings.last_folder()
    )
    if chosen:
        _once_closed(partial(open_and_remember, unproxied(viewer), Path(chosen)))


def open_case_files(viewer: Viewer) -> None:
    """Ask for the files of one case and open them together."""
    from qtpy.QtWidgets import QApplication, QFileDialog

    chosen, _ = QFileDialog.getOpenFileNames(
        QApplication.activeWindow(),
        "Open case from files",
        settings.last_folder(),
        "Volumes (*.nii *.nii.gz *.mha *.nrrd *.mgz *.mgh);;DICOM (*.dcm *.ima *.dicom)",
    )
    if chosen:
        _once_closed(partial(open_files, unproxied(viewer), [Path(path) for path in chosen]))


def _once_closed(open_chosen: Callable[[], None]) -> None:
    """Open what was chosen when the file dialog has left the screen."""
    from qtpy.QtCore import QTimer

    QTimer.singleShot(_DIALOG_CLOSES_MS, open_chosen)


def open_files(viewer: ViewerModel, files: Sequence[Path]) -> None:
    """Open files: those of one case, by their names, together, and others one by one."""
    alone = list(files)
    for case in group_files(files):
        of_case = [path for paths in case.modalities.values() for path in paths] + case.labels
        if case.modalities and len(of_case) > 1:
            alone = [file for file in alone if file not in of_case]
            open_and_remember(viewer, case)
    for file in alone:
        open_and_remember(viewer, file)


def open_and_remember(
    viewer: ViewerModel,
    path: Path | Sequence[Path] | CaseFiles,
    opened: Callable[[list[Layer]], None] | None = None,
) -> None:
    """Open a case or report an error; the next file dialog starts in the case's folder.

    A window reads the files in a worker. For a folder of cases, a list of the cases is shown
    instead; for a scan, its zip archive, or one of its DICOM files, the dialog that prepares it.

    Parameters
    ----------
    viewer : ViewerModel
    path : Path, sequence of Path or CaseFiles
        As for `open_case`.
    opened : callable, optional
        Called with the layers when they have been added.
    """
    if isinstance(path, Path) and is_archive(path):
        _offer_study(viewer, StudyOfFile(path))
        return
    if isinstance(path, Path) and is_dicom_slice(path):
        open_study_of(viewer, path, partial(_offer_study, viewer))
        return
    found: list[CaseFiles] = []

    def remember(layers: list[Layer]) -> None:
        settings.remember_folder(_location(path))
        if not layers and found:
            show_open_case(viewer, found[0])
        elif not layers and isinstance(path, Path):
            show_open_file(viewer, path)
        if opened is not None:
            opened(layers)

    def read() -> list[LayerData]:
        layers = list(viewer.layers)
        if isinstance(path, Path) and existing([path]) and path.is_file():
            return layers_of_file(path, layers)
        found.append(_files_of(path))
        if isinstance(path, Path) and path.is_dir():
            check_no_scan(path, found[0])
        return layers_of_case(found[0], layers=layers)

    key = f"{path.folder} {path.name}" if isinstance(path, CaseFiles) else str(path)
    load(viewer, LoadJob(case_name(path), key, read, remember, partial(on_error, viewer, path)))


def _offer_study(viewer: ViewerModel, study: StudyOfFile) -> None:
    open_folder = partial(open_and_remember, viewer)
    none = partial(report_no_series, study.folder)
    offer_scan(viewer, study.folder, open_folder, none, study if study.uid else None)


def _location(path: Path | Sequence[Path] | CaseFiles) -> Path:
    """What the next file dialog starts at."""
    if isinstance(path, CaseFiles):
        return path.folder
    return path if isinstance(path, Path) else path[0]


def case_name(path: Path | Sequence[Path] | CaseFiles) -> str:
    """What a path is called while it is read: by the name of its case, as far as it is known."""
    if isinstance(path, CaseFiles):
        return path.name
    first = path if isinstance(path, Path) else path[0]
    if first.is_dir():
        return first.resolve().name
    parsed = parse_file_name(first)
    return (parsed[0] if parsed is not None else "") or stem(first)


def on_error(
    viewer: ViewerModel, path: Path | Sequence[Path] | CaseFiles, error: Exception
) -> None:
    """Offer what else a path may hold that could not be opened, or report the error."""
    if isinstance(error, ChangedFilesError) or not isinstance(error, SmalltumorError):
        notify.report_error(error)
    elif isinstance(path, Path) and path.is_dir():
        offer_cases(viewer, path, open_and_remember, error)
    elif isinstance(error, GridMismatchError):
        offer_files(viewer, _files_of(path), partial(open_and_remember, viewer))
    else:
        notify.report_error(error)


def open_case(viewer: ViewerModel, path: Path | Sequence[Path] | CaseFiles) -> list[Layer]:
    """Add the layers of a case to a viewer, which makes its patient the active one.

    If the viewer was empty, the view is reset.

    Parameters
    ----------
    viewer : ViewerModel
    path : Path, sequence of Path or CaseFiles
        A folder, one file of the case, or the case's files in any order.

    Raises
    ------
    CaseError
        If files are missing or damaged; the message names them.
    """
    files = _files_of(path)
    data = layers_of_case(files, layers=viewer.layers)
    if not data:
        show_open_case(viewer, files)
    return add_layers(viewer, data)


def _files_of(path: Path | Sequence[Path] | CaseFiles) -> CaseFiles:
    if isinstance(path, CaseFiles):
        return path
    return find_case_files(path if isinstance(path, Path) else list(path))
