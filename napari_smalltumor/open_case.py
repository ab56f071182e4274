"""Open a case from a folder or files, without napari's reader dialog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case_files import find_case_files
from smalltumor.errors import SmalltumorError

from napari_smalltumor import notify, settings
from napari_smalltumor.reader import layers_of_case
from napari_smalltumor.viewer import unproxied
from napari_smalltumor.viewer_setup import set_up

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from napari.viewer import Viewer

_DIALOG_CLOSES_MS = 50


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
    from qtpy.QtCore import Qt, QTimer
    from qtpy.QtWidgets import QApplication

    def read() -> None:
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            open_and_remember(unproxied(viewer), path)
        finally:
            QApplication.restoreOverrideCursor()

    QTimer.singleShot(_DIALOG_CLOSES_MS, read)


def open_and_remember(viewer: ViewerModel, path: Path | Sequence[Path]) -> list[Layer]:
    """Open a case or report an error; the next file dialog starts in the case's folder."""
    try:
        layers = open_case(viewer, path)
    except SmalltumorError as error:
        notify.report(error)
        return []
    settings.remember_folder(path if isinstance(path, Path) else path[0])
    return layers


def open_case(viewer: ViewerModel, path: Path | Sequence[Path]) -> list[Layer]:
    """Add the layers of a case to a viewer, which makes its patient the active one.

    If the viewer was empty, the view is reset.

    Parameters
    ----------
    viewer : ViewerModel
    path : Path or sequence of Path
        A folder, one file of the case, or the case's files in any order.

    Raises
    ------
    CaseError
        If files are missing or damaged; the message names them.
    """
    from napari.layers import Layer

    files = find_case_files(path if isinstance(path, Path) else list(path))
    was_empty = not viewer.layers
    layer_data = layers_of_case(files)
    set_up(viewer)
    added = [viewer.add_layer(Layer.create(*data)) for data in layer_data]
    if was_empty and added:
        viewer.reset_view()
    return added
