"""Open the folders and image files that are dropped on a dock, as napari does on its canvas."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QMimeData, QObject, QTimer
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QWidget
from smalltumor.data.volumes.nifti import is_image_name
from smalltumor.data.volumes.volume_files import not_a_volume_error
from smalltumor.scanner.archive import is_archive
from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.loading.dicom_files import is_dicom_slice
from napari_smalltumor.loading.open_case import open_and_remember, open_files
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel

_DRAGGING = (QEvent.Type.DragEnter, QEvent.Type.DragMove)


def accept_drops(
    widget: QWidget,
    viewer: ViewerModel,
    is_own: Callable[[Path], bool] = lambda path: False,
    open_own: Callable[[Path], object] = lambda path: None,
) -> None:
    """Open cases that are dropped on a widget: folders one by one, files by their cases.

    Parameters
    ----------
    widget : QWidget
    viewer : ViewerModel
    is_own : callable
        Whether a file or folder that is dropped alone is not a case but something for the widget.
    open_own : callable
        Opens that, in the turn of the drop: it is for the patient who is active then. It must not
        ask anything, because the program from which the file is dragged waits.
    """
    widget.setAcceptDrops(True)
    widget.installEventFilter(_CaseDrop(widget, unproxied(viewer), is_own, open_own))


class _CaseDrop(QObject):
    def __init__(
        self,
        widget: QWidget,
        viewer: ViewerModel,
        is_own: Callable[[Path], bool],
        open_own: Callable[[Path], object],
    ) -> None:
        super().__init__(widget)
        self._viewer, self._is_own, self._open_own = viewer, is_own, open_own

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Accept what can be opened, and open it when it is dropped."""
        if event.type() not in (*_DRAGGING, QEvent.Type.Drop) or not isinstance(event, QDropEvent):
            return False
        opener = self._opener(event.mimeData())
        if opener is None:
            return False
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            opener()
        return True

    def _opener(self, data: QMimeData) -> Callable[[], object] | None:
        """What opens that which is dropped; None if nothing does."""
        paths = _local_paths(data)
        if len(paths) == 1 and self._is_own(paths[0]):
            return partial(self._open_own, paths[0])
        folders, files = dropped_paths(data)
        if folders or files:
            return _later(partial(self._open, folders, files))
        return _later(partial(_refuse, paths)) if paths else None

    def _open(self, folders: list[Path], files: list[Path]) -> None:
        for folder in folders:
            open_and_remember(self._viewer, folder)
        open_files(self._viewer, files)


def _later(call: Callable[[], object]) -> Callable[[], object]:
    """What calls a function when the program from which files are dragged no longer waits."""
    return partial(QTimer.singleShot, 0, call)


def _refuse(paths: list[Path]) -> None:
    """Say that nothing of what was dropped can be opened, and why."""
    known = (not_a_volume_error(path) for path in paths)
    error = next((error for error in known if error is not None), None)
    names = list_text(path.name for path in paths)
    cannot = f"{names} cannot be opened; drop a folder, NIfTI or DICOM files, or a zip archive"
    notify.error(cannot if error is None else notify.error_text(error))


def dropped_paths(data: QMimeData) -> tuple[list[Path], list[Path]]:
    """The folders, with archives and DICOM files of scans, and the volumes of what is dropped."""
    paths = _local_paths(data)
    images = [path for path in paths if is_image_name(path)]
    scans = [path for path in paths if path.is_dir() or is_archive(path)]
    return [*scans, *filter(is_dicom_slice, paths)], images


def _local_paths(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
