"""Open a case from a folder or files, without napari's reader dialog."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case_files import CaseFiles, find_case_files, find_cases
from smalltumor.errors import CaseError, SmalltumorError

from napari_smalltumor import notify, settings
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.reader import layers_of_case
from napari_smalltumor.viewer import unproxied
from napari_smalltumor.viewer_setup import set_up

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from napari.viewer import Viewer

    from napari_smalltumor.case_list import CaseList

_DIALOG_CLOSES_MS = 50

MOST_FOLDERS = 5_000
"""A folder with more subfolders is not searched for cases; the window waits for the search."""


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
        "NIfTI (*.nii *.nii.gz)",
    )
    if chosen:
        _open_once_closed(viewer, [Path(path) for path in chosen])


def _open_once_closed(viewer: Viewer, path: Path | Sequence[Path]) -> None:
    """Open a case when the file dialog has left the screen; reading blocks the window."""
    from qtpy.QtCore import QTimer

    QTimer.singleShot(_DIALOG_CLOSES_MS, lambda: open_and_remember(unproxied(viewer), path))


def open_and_remember(viewer: ViewerModel, path: Path | Sequence[Path] | CaseFiles) -> list[Layer]:
    """Open a case or report an error; the next file dialog starts in the case's folder.

    For a folder of cases, a list of the cases is shown instead.
    """
    try:
        with _wait_cursor():
            layers = open_case(viewer, path)
    except SmalltumorError as error:
        if isinstance(path, Path) and path.is_dir():
            offer_cases(viewer, path, error)
        else:
            notify.report(error)
        return []
    if not isinstance(path, CaseFiles):
        settings.remember_folder(path if isinstance(path, Path) else path[0])
    return layers


def offer_cases(
    viewer: ViewerModel, folder: Path, error: SmalltumorError | None = None
) -> CaseList | None:
    """Show the cases in a folder and its subfolders as a list; a single case is opened.

    Parameters
    ----------
    viewer : ViewerModel
    folder : Path
    error : SmalltumorError, optional
        Why the folder itself is no case; reported if a single case is in it that cannot be opened.

    Returns
    -------
    CaseList or None
        None if there is no case, which is reported, or only one.
    """
    try:
        with _wait_cursor():
            cases = find_cases(folder, on_folder=partial(_check_number, folder))
    except SmalltumorError as none_found:
        notify.report(none_found)
        return None
    if len(cases) == 1:
        if error is not None and cases[0].problem() is not None:
            notify.report(error)
        else:
            open_and_remember(viewer, cases[0])
        return None
    from napari_smalltumor import questions
    from napari_smalltumor.case_list import CaseList

    shown = CaseList(questions.window_of(None), folder, cases, CaseOpener(viewer).open)
    settings.remember_folder(folder)
    shown.show()
    return shown


class CaseOpener:
    """Opens the cases of a list, each once.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._patients: dict[int, Patient] = {}

    def open(self, files: CaseFiles) -> bool:
        """Open a case, or make its patient the active one; return whether it is open."""
        patients = active_patient(self._viewer)
        known = self._patients.get(id(files))
        if known is not None and known in patients.patients:
            patients.activate(known)
            return True
        layers = open_and_remember(self._viewer, files)
        if layers and (patient := patient_of(layers[0])) is not None:
            self._patients[id(files)] = patient
        return bool(layers)


def _check_number(folder: Path, number: int) -> None:
    if number > MOST_FOLDERS:
        raise CaseError(
            f"{folder} is no case and has more than {MOST_FOLDERS:,} subfolders; choose the folder "
            "of a case"
        )


@contextmanager
def _wait_cursor() -> Iterator[None]:
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QApplication

    if QApplication.instance() is None:
        yield
        return
    QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        yield
    finally:
        QApplication.restoreOverrideCursor()


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
    from napari.layers import Layer

    if isinstance(path, CaseFiles):
        files = path
    else:
        files = find_case_files(path if isinstance(path, Path) else list(path))
    was_empty = not viewer.layers
    layer_data = layers_of_case(files, layers=viewer.layers)
    set_up(viewer)
    added = [viewer.add_layer(Layer.create(*data)) for data in layer_data]
    if was_empty and added:
        viewer.reset_view()
    return added
