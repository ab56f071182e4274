"""Reading the cases of a training folder in a thread."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from qtpy.QtCore import QObject, Signal
from smalltumor.files.change_time import next_change_shows
from smalltumor.training.data.dataset_folder import DatasetLister, DatasetListing

from napari_smalltumor.workers import run_in_thread


class CasesReader(QObject):
    """Lists the cases of one folder at a time.

    Parameters
    ----------
    parent : QObject
    """

    progressed = Signal(str)
    """What is being read."""
    listed = Signal(object)
    """The `DatasetListing` of the folder, of the cases that were read if it was stopped."""
    failed = Signal(object)
    """Why the folder cannot be read."""

    _progressed = Signal(object, str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.lister = DatasetLister()
        self._scan: threading.Event | None = None  # set to stop reading the folder
        self._changed_at: int | None = 0  # before the folder was read; None may be of two changes
        self._progressed.connect(self._on_progress)

    @property
    def is_reading(self) -> bool:
        """Whether a folder is being read."""
        return self._scan is not None

    def read(self, folder: Path) -> None:
        """List the cases of a folder, instead of those of the folder that is being read."""
        self.stop()
        changed_at = _changed_at(folder)
        self._changed_at = changed_at if next_change_shows(changed_at) else None
        scan = self._scan = threading.Event()

        def progress(text: str) -> None:
            if not scan.is_set():
                self._progressed.emit(scan, f"Reading {text}")

        def work() -> DatasetListing:
            return self.lister.list_cases(folder, progress=progress, cancelled=scan.is_set)

        done, failed = partial(self._on_listing, scan), partial(self._on_error, scan)
        run_in_thread(work, self, done, failed, name="reading cases")

    def stop(self) -> None:
        """Stop reading after the case that is being read, and list those before it."""
        if self._scan is not None:
            self._scan.set()

    def abandon(self) -> None:
        """Stop reading, and emit nothing of it."""
        self.stop()
        self._scan = None

    def is_outdated(self, folder: Path) -> bool:
        """Whether something may have been put into the folder, or removed, since it was read."""
        return self._changed_at != _changed_at(folder)

    def _on_progress(self, scan: threading.Event, text: str) -> None:
        if scan is self._scan:
            self.progressed.emit(text)

    def _on_listing(self, scan: threading.Event, listing: DatasetListing) -> None:
        if scan is self._scan:
            self._scan = None
            self.listed.emit(listing)

    def _on_error(self, scan: threading.Event, error: Exception) -> None:
        if scan is self._scan:
            self._scan = None
            self.failed.emit(error)


def _changed_at(folder: Path) -> int:
    """When something was put into a folder or removed from it, in ns; 0 if it does not exist."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
