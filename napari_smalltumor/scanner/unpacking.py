"""Unpacking an archive in a worker, with a dialog that shows how far it is and cancels it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QProgressDialog, QWidget
from smalltumor.errors import Cancelled

from napari_smalltumor import notify
from napari_smalltumor.progress_worker import start
from napari_smalltumor.scanner.archives import unpacked_folder

_SHOWN_AFTER_MS = 500
_COUNTED_FILES = 20


_RUNNING: set[Path] = set()


def unpack_in_background(parent: QWidget | None, archive: Path, done: Callable[[], None]) -> None:
    """Unpack an archive, unless this is being done already; see `Unpacking`."""
    if archive not in _RUNNING:
        _RUNNING.add(archive)
        Unpacking(parent, archive, done)


class Unpacking(QObject):
    """Unpacks an archive; other cases can be opened meanwhile.

    Parameters
    ----------
    parent : QWidget or None
        The window that the dialog belongs to.
    archive : Path
    done : callable
        Called when the files are there; not if it was cancelled.
    """

    def __init__(self, parent: QWidget | None, archive: Path, done: Callable[[], None]) -> None:
        title = f"Unpacking {archive.name}"
        self.dialog = QProgressDialog(title, "Cancel", 0, 0, parent)
        super().__init__(self.dialog)
        self._title, self._done = title, done
        self.dialog.setWindowTitle(title)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dialog.show)
        self._timer.start(_SHOWN_AFTER_MS)
        self.dialog.setAutoClose(False)
        worker = start(
            partial(_unpack, archive),
            f"unpacking of {archive.name}",
            owner=self.dialog,
            yielded=self._on_progress,
            returned=self._on_unpacked,
            errored=notify.report_error,
            finished=self._close,
            ended=partial(_RUNNING.discard, archive),
        )
        self.dialog.canceled.connect(worker.quit)

    def _on_progress(self, state: tuple[float, str]) -> None:
        self.dialog.setLabelText(f"{self._title}: {state[1]}")

    def _on_unpacked(self, folder: Path) -> None:
        self._done()

    def _close(self) -> None:
        self.dialog.hide()
        self.dialog.deleteLater()


def _unpack(
    archive: Path, progress: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> Path:
    def on_file(count: int) -> None:
        if cancelled():
            raise Cancelled(f"unpacking {archive} was cancelled")
        if count % _COUNTED_FILES == 0:
            progress(0.0, f"{count} files")

    return unpacked_folder(archive, on_file)
