"""The folder that a case has, or gets, in the training folder."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from operator import is_
from pathlib import Path
from typing import Any
from weakref import ref

import numpy.typing as npt
from qtpy.QtCore import QObject, Signal
from smalltumor.data.case import Case
from smalltumor.files.existence import is_absent
from smalltumor.files.file_stamp import Stamp, written_stamp_of
from smalltumor.training.data.collected_case import (
    CaseFolder,
    case_folder,
    case_folder_name,
    folder_names,
)

from napari_smalltumor.workers import run_in_thread

_State = tuple[tuple[Path, Stamp | None], ...]


class FolderOfCase(QObject):
    """Compares images in folders of the patient with a case, once for each state of them."""

    compared = Signal()
    """A comparison that was asked for has ended."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._asked: tuple[Path, ref[Case], _State] | None = None
        self._images: list[ref[npt.NDArray[Any]]] = []
        self._found: CaseFolder | None = None

    def find(self, folder: Path, case: Case) -> CaseFolder | None:
        """As `case_folder`; None if the images are still being compared, in a thread."""
        own = folder / case_folder_name(case)
        if is_absent(own):
            return CaseFolder(own)
        if not self._is_asked(folder, case):
            self._ask(folder, case)
        return self._found

    def _is_asked(self, folder: Path, case: Case) -> bool:
        if self._asked is None:
            return False
        path, asked, state = self._asked
        images = [image() for image in self._images]
        are_same = len(images) == len(case.volumes) and all(map(is_, images, case.volumes.values()))
        return asked() is case and are_same and (path, state) == (folder, _state_of(folder, case))

    def _ask(self, folder: Path, case: Case) -> None:
        asked = self._asked = folder, ref(case), _state_of(folder, case)
        self._images = [ref(image) for image in case.volumes.values()]  # a correction has others
        self._found = None
        run_in_thread(
            partial(case_folder, folder, case),
            self,
            partial(self._on_compared, asked),
            partial(self._on_error, asked, folder / case_folder_name(case)),
            name=f"comparing {case.name}",
        )

    def _on_compared(self, asked: object, found: CaseFolder) -> None:
        if asked is self._asked:
            self._found = found
            self.compared.emit()

    def _on_error(self, asked: object, path: Path, error: Exception) -> None:
        self._on_compared(asked, CaseFolder(path, why_not=str(error)))


def _state_of(folder: Path, case: Case) -> _State:
    """A value that changes when a file in a folder that the case may have does."""
    files: list[Path] = []
    for name in folder_names(case):
        if not (folder / name).exists():
            break
        with suppress(OSError):
            files += sorted((folder / name).iterdir())
    return tuple((file, written_stamp_of(file)) for file in files)
