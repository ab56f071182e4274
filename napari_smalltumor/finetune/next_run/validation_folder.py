"""A folder of validation cases outside the training folder, which is searched in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from threading import Event
from types import MappingProxyType

from qtpy.QtCore import QObject, Signal
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.errors import Cancelled, SmalltumorError

from napari_smalltumor import notify
from napari_smalltumor.workers import run_in_thread

_NONE: Mapping[str, bool] = MappingProxyType({})


class ValidationFolder(QObject):
    """The cases in one folder.

    Parameters
    ----------
    parent : QObject
    """

    searched = Signal()
    """The cases are known."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.path = ""
        self.cases = _NONE
        """Names, and whether there are masks; none of a folder that cannot be read."""
        self._search: Event | None = None  # set to end it

    @property
    def is_being_searched(self) -> bool:
        """Whether the search has not ended."""
        return self._search is not None

    def search(self, path: str) -> None:
        """Search a folder, instead of one that is being searched; an empty path is none."""
        if self._search is not None:
            self._search.set()
        self.path, self.cases, self._search = path, _NONE, None
        if path:
            search = self._search = Event()
            done, failed = partial(self._on_found, search), partial(self._on_failed, search)
            run_in_thread(
                partial(_cases_in, Path(path), search),
                self,
                done,
                failed,
                name="searching validation cases",
            )

    def _on_found(self, search: Event, cases: Mapping[str, bool]) -> None:
        if search is self._search:
            self.cases, self._search = cases, None
            self.searched.emit()

    def _on_failed(self, search: Event, error: Exception) -> None:
        # What is wrong with the folder is said when a run is started.
        self._on_found(search, _NONE)
        if not isinstance(error, SmalltumorError):
            notify.report_error(error)


def _cases_in(folder: Path, ended: Event) -> dict[str, bool]:
    def check(count: int) -> None:
        if ended.is_set():
            raise Cancelled("another folder was chosen")

    return {files.name: bool(files.labels) for files in find_cases(folder, on_folder=check)}
