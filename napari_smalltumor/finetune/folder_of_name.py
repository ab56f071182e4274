"""Whether the folder of a case's name in the training folder is this case's."""

from __future__ import annotations

from functools import partial
from operator import is_
from pathlib import Path
from typing import Any
from weakref import ref

import numpy.typing as npt
from qtpy.QtCore import QObject, Signal
from smalltumor.data.case import Case
from smalltumor.training.data.collected_case import (
    case_folder_name,
    has_folder,
    why_not_replaced,
)

from napari_smalltumor.workers import run_in_thread

_State = tuple[tuple[str, int, int], ...]


class FolderOfName(QObject):
    """Compares images in the folder of a case's name with the case, once for each state of it."""

    compared = Signal()
    """A comparison that was asked for has ended."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._asked: tuple[Path, ref[Case], _State] | None = None
        self._images: list[ref[npt.NDArray[Any]]] = []
        self._why_not: str | None = None

    def why_not_replaced(self, folder: Path, case: Case) -> str | None:
        """As `smalltumor`'s; None if the images are still being compared, in a thread."""
        if not has_folder(folder, case):
            return ""
        if not self._is_asked(folder, case):
            self._ask(folder, case)
        return self._why_not

    def _is_asked(self, folder: Path, case: Case) -> bool:
        target = folder / case_folder_name(case)
        if self._asked is None:
            return False
        path, asked, state = self._asked
        images = [image() for image in self._images]
        are_same = len(images) == len(case.volumes) and all(map(is_, images, case.volumes.values()))
        return asked() is case and are_same and (path, state) == (target, _state_of(target))

    def _ask(self, folder: Path, case: Case) -> None:
        target = folder / case_folder_name(case)
        asked = self._asked = target, ref(case), _state_of(target)
        self._images = [ref(image) for image in case.volumes.values()]  # a correction has others
        self._why_not = None
        run_in_thread(
            partial(why_not_replaced, folder, case),
            self,
            partial(self._on_compared, asked),
            partial(self._on_error, asked),
            name=f"comparing {target.name}",
        )

    def _on_compared(self, asked: object, why_not: str) -> None:
        if asked is self._asked:
            self._why_not = why_not
            self.compared.emit()

    def _on_error(self, asked: object, error: Exception) -> None:
        self._on_compared(asked, str(error))


def _state_of(folder: Path) -> _State:
    """A value that changes when a file of the folder does."""
    try:
        states = [(path.name, path.stat()) for path in sorted(folder.iterdir())]
    except OSError:
        return ()
    return tuple((name, state.st_size, state.st_mtime_ns) for name, state in states)
