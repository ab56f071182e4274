"""Open a case from a folder or files, without napari's reader dialog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.file_names import parse_file_name
from smalltumor.data.naming.find_cases import find_case_files, find_cases
from smalltumor.data.nifti import stem
from smalltumor.errors import CaseError, GridMismatchError, SmalltumorError
from smalltumor.scanner.sequence_folders import is_folder_of_sequences

from napari_smalltumor import notify, settings
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.loading.already_open import show_open_case
from napari_smalltumor.loading.case_layers import layers_of_case
from napari_smalltumor.loading.job import LoadJob, add_layers, load
from napari_smalltumor.loading.scans import (
    check_no_scan,
    offer_files,
    offer_scan,
    report_no_series,
    scan_at,
)
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from napari.viewer import Viewer

    from napari_smalltumor.layers.create import LayerData

_DIALOG_CLOSES_MS = 50

MOST_FOLDERS = 5_000
"""A folder with more subfolders is not searched for cases."""


class TooManyFoldersError(CaseError):
    """A folder is not searched for cases, because it has too many subfolders."""


def open_case_folder(viewer: Viewer) -> None:
    """Ask for a folder and open the case in it."""
    from qtpy.QtWidgets import QApplication, QFileDialog

    chosen = QFileDialog.getExistingDirectory(
        QApplication.activeWindow(), "Open case", settings.last_folder()
    )
    if chosen:
        _open_once_closed(viewer, Path(chosen))


def open_case_files(viewer: Viewer) -> None:
    """Ask for the files of one case and open them together."""
    from qtpy.QtWidgets import QApplication, QFileDialog

    chosen, _ = QFileDialog.getOpenFileNames(
        QApplication.activeWindow(),
        "Open case from files",
        settings.last_folder(),
        "Volumes (*.nii *.nii.gz *.mha *.nrrd *.mgz *.mgh)",
    )
    if chosen:
        _open_once_closed(viewer, [Path(path) for path in chosen])


def _open_once_closed(viewer: Viewer, path: Path | Sequence[Path]) -> None:
    """Open a case when the file dialog has left the screen."""
    from qtpy.QtCore import QTimer

    QTimer.singleShot(_DIALOG_CLOSES_MS, lambda: open_and_remember(unproxied(viewer), path))


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
    scan = scan_at(path) if isinstance(path, Path) else None
    if scan is not None:
        none = partial(report_no_series, scan)
        offer_scan(viewer, scan, partial(open_and_remember, viewer), none)
        return
    found: list[CaseFiles] = []

    def remember(layers: list[Layer]) -> None:
        if not isinstance(path, CaseFiles):
            settings.remember_folder(path if isinstance(path, Path) else path[0])
        if not layers:
            show_open_case(viewer, found[0])
        if opened is not None:
            opened(layers)

    def read() -> list[LayerData]:
        layers = list(viewer.layers)
        found.append(_files_of(path))
        if isinstance(path, Path) and path.is_dir():
            check_no_scan(path, found[0])
        return layers_of_case(found[0], layers=layers)

    key = path.name if isinstance(path, CaseFiles) else str(path)
    load(viewer, LoadJob(case_name(path), key, read, remember, partial(on_error, viewer, path)))


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
    if not isinstance(error, SmalltumorError):
        notify.report(error)
    elif isinstance(path, Path) and path.is_dir():
        offer_cases(viewer, path, error)
    elif isinstance(error, GridMismatchError):
        offer_files(viewer, _files_of(path), partial(open_and_remember, viewer))
    else:
        notify.report(error)


def offer_cases(viewer: ViewerModel, folder: Path, error: Exception | None = None) -> None:
    """Show the cases in a folder and its subfolders as a list; a single case is opened.

    If there is no case, but a scan that a case can be made of, that is offered; otherwise it is
    reported that there is none.

    Parameters
    ----------
    viewer : ViewerModel
    folder : Path
    error : Exception, optional
        Why the folder itself is no case; reported if a single case is in it that cannot be opened.
    """
    found: list[CaseFiles] = []
    problems = [error] if error is not None else []

    def search() -> list[LayerData]:
        try:
            found.extend(find_cases(folder, on_folder=partial(_check_number, folder)))
        except TooManyFoldersError:
            raise
        except CaseError as none:
            problems.append(none)
        return []

    def show(layers: list[Layer]) -> None:
        otherwise = partial(_show_cases, viewer, folder, found, problems)
        if _may_be_scan(found, error) or is_folder_of_sequences(folder):
            offer_scan(viewer, folder, partial(open_and_remember, viewer), otherwise)
        else:
            otherwise()

    key = ("cases in", str(folder))
    load(viewer, LoadJob(f"the folders in {folder.name}", key, search, show, notify.report))


def _may_be_scan(found: list[CaseFiles], error: Exception | None) -> bool:
    """Whether a folder may hold a scan: no case, or images that are not on one grid."""
    usable = [files for files in found if files.problem(allow_missing=True) is None]
    if not usable or (len(found) == 1 and isinstance(error, GridMismatchError)):
        return True
    # The names that a scanner or a converter gives have nothing in common but the patient.
    modalities = [modality for files in found for modality in files.modalities]
    return len(found) == len(modalities) == len(set(modalities)) > 1


def _show_cases(
    viewer: ViewerModel, folder: Path, found: list[CaseFiles], problems: list[Exception]
) -> None:
    if len(found) > 1:
        _show_list(viewer, folder, found)
    elif problems and (not found or _cannot_be_read(found[0], problems[0])):
        notify.report(problems[0])
    else:
        open_and_remember(viewer, found[0])


def _cannot_be_read(files: CaseFiles, error: Exception) -> bool:
    return files.problem() is not None or isinstance(error, GridMismatchError)


def _show_list(viewer: ViewerModel, folder: Path, cases: list[CaseFiles]) -> None:
    from napari_smalltumor import questions
    from napari_smalltumor.loading.case_list import CaseList

    settings.remember_folder(folder)
    CaseList(questions.window_of(None), folder, cases, CaseOpener(viewer).open).show()


class CaseOpener:
    """Opens the cases of a list, each once.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._patients: dict[int, Patient] = {}

    def open(self, files: CaseFiles, opened: Callable[[], None]) -> None:
        """Open a case, or make its patient the active one; call `opened` when it is open."""
        patients = active_patient(self._viewer)
        known = self._patients.get(id(files))
        if known is not None and known in patients.patients:
            patients.activate(known)
            opened()
            return

        def remember(layers: list[Layer]) -> None:
            patient = patient_of(layers[0]) if layers else patients.current
            if patient is not None:
                self._patients[id(files)] = patient
            opened()

        open_and_remember(self._viewer, files, remember)


def _check_number(folder: Path, number: int) -> None:
    if number > MOST_FOLDERS:
        raise TooManyFoldersError(
            f"{folder} is no case and has more than {MOST_FOLDERS:,} subfolders; choose the folder "
            "of a case"
        )


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
