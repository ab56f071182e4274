"""Open case...: a folder or files become layers, without napari's reader chooser."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.errors import SmalltumorError
from smalltumor.naming import find_case_files

from napari_smalltumor import notify, settings
from napari_smalltumor.nesting import keep_nested
from napari_smalltumor.reader import layers_of_case

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget


def open_case_folder(viewer: Viewer) -> None:
    """Ask for a folder and open the case in it."""
    from qtpy.QtWidgets import QFileDialog

    chosen = QFileDialog.getExistingDirectory(_window(viewer), "Open case", settings.last_folder())
    if chosen:
        open_and_remember(viewer, Path(chosen))


def open_case_files(viewer: Viewer) -> None:
    """Ask for the files of one case and open them together."""
    from qtpy.QtWidgets import QFileDialog

    chosen, _ = QFileDialog.getOpenFileNames(
        _window(viewer), "Open case from files", settings.last_folder(), "NIfTI (*.nii *.nii.gz)"
    )
    if chosen:
        open_and_remember(viewer, [Path(path) for path in chosen])


def open_and_remember(viewer: ViewerModel, path: Path | Sequence[Path]) -> list[Layer]:
    """Open a case, or say in one line why not; the next dialog starts there."""
    try:
        layers = open_case(viewer, path)
    except SmalltumorError as error:
        notify.error(str(error))
        return []
    settings.remember_folder(path if isinstance(path, Path) else path[0])
    return layers


def open_case(viewer: ViewerModel, path: Path | Sequence[Path]) -> list[Layer]:
    """Add the layers of a case to a viewer and show the middle of the head.

    Parameters
    ----------
    viewer : ViewerModel
    path : Path or sequence of Path
        A folder, a file of the case, or the case's files in any order.

    Raises
    ------
    CaseError
        Naming what is missing or damaged.
    """
    files = find_case_files(path if isinstance(path, Path) else list(path))
    first = not viewer.layers
    added = [layer for data in layers_of_case(files) for layer in _add(viewer, data)]
    keep_nested(viewer)
    if first and added:
        viewer.reset_view()
    return added


def _add(viewer: ViewerModel, data: tuple) -> list[Layer]:
    return viewer._add_layer_from_data(*data)


def _window(viewer: Viewer) -> QWidget | None:
    return getattr(viewer.window, "_qt_window", None)
