"""The folder of a cohort's results that the user chooses, and that is read in a worker."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QWidget
from smalltumor.cohort.results.results_folder import TABLE
from smalltumor.cohort.reviews.worklist import ImagesNotFoundError, Worklist, read_worklist

from napari_smalltumor import settings
from napari_smalltumor.workers import run_in_thread


class Results(QObject):
    """Reads the cases of one folder of results at a time.

    Parameters
    ----------
    dialogs : QWidget
        Becomes the parent, and that of the dialogs.

    Signals
    -------
    began : str
        Name of the folder that is being read.
    read : Worklist
    failed : Exception
        Why the folder cannot be read.
    """

    began = Signal(str)
    read = Signal(object)
    failed = Signal(object)

    def __init__(self, dialogs: QWidget) -> None:
        super().__init__(dialogs)
        self._dialogs = dialogs
        self._reading = False
        self._listed: Path | None = None
        self._without_images: Path | None = None

    @property
    def folder(self) -> Path | None:
        """The folder whose images may be chosen: one without images, else the one listed."""
        return self._without_images or self._listed

    def open(self, folder: Path, data: Path | None = None) -> None:
        """Read a folder of results, with the folder of its cases if that was moved."""
        if self._reading:
            return
        self._reading = True
        self.began.emit(folder.name)
        run_in_thread(
            partial(read_worklist, folder, data),
            self,
            self._on_read,
            partial(self._on_failed, folder),
            name=f"reading of the results in {folder.name}",
        )

    def ask_for_folder(self) -> None:
        """Ask for a folder of results, and read it."""
        start = str(settings.get("results_folder")) or settings.last_folder()
        chosen = QFileDialog.getExistingDirectory(self._dialogs, "Results", start)
        if chosen:
            settings.remember_folder(Path(chosen))
            self.open(Path(chosen))

    def ask_for_images(self) -> None:
        """Ask for the folder of the cases, and read the results with it."""
        folder = self.folder
        chosen = QFileDialog.getExistingDirectory(
            self._dialogs, "Folder of the cases", settings.last_folder()
        )
        if chosen and folder is not None:
            self.open(folder, Path(chosen))

    def _on_read(self, worklist: Worklist) -> None:
        self._reading = False
        self._listed, self._without_images = worklist.folder, None
        settings.put("results_folder", str(worklist.folder))
        self.read.emit(worklist)

    def _on_failed(self, folder: Path, error: Exception) -> None:
        self._reading = False
        self._without_images = folder if isinstance(error, ImagesNotFoundError) else None
        self.failed.emit(error)


def holds_results(folder: Path) -> bool:
    """Whether a folder holds results of a cohort."""
    return (folder / TABLE).is_file()
