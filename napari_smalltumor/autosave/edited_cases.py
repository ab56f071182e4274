"""The cases of a viewer with edits, and what becomes of their files when the user has answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_smalltumor.autosave.baselines import Baselines
from napari_smalltumor.autosave.case_edits import CaseEdits, EditsState
from napari_smalltumor.autosave.folder import AutosaveFolder
from napari_smalltumor.autosave.masks import case_of_mask
from napari_smalltumor.autosave.write_queue import WriteQueue

if TYPE_CHECKING:
    from napari.layers import Labels


class EditedCases:
    """The edits of each case of a viewer, by `case_key`.

    Parameters
    ----------
    folder : AutosaveFolder
    writes : WriteQueue
    baselines : Baselines
    """

    def __init__(self, folder: AutosaveFolder, writes: WriteQueue, baselines: Baselines) -> None:
        self._folder, self._writes, self._baselines = folder, writes, baselines
        self._edits: dict[str, CaseEdits] = {}

    def get(self, key: str) -> CaseEdits | None:
        """The edits of a case; None if it has neither edits nor a file."""
        return self._edits.get(key)

    def update(self, key: str, layers: Sequence[Labels]) -> CaseEdits:
        """Look at a case, all of whose masks in the viewer are given, and return its edits."""
        edits = self._edits.get(key)
        if edits is None:
            edits = CaseEdits(case_of_mask(layers[0]), self._folder, self._writes)
        edits.update(layers, self._baselines)
        if not edits.is_over:
            self._edits[key] = edits
        return edits

    def write(self, reader: str) -> None:
        """Write the edits that changed, those since the last write as of a reader."""
        for edits in self._edits.values():
            edits.write(reader)
        self.forget_ended()

    def close(self, key: str) -> None:
        """Leave the file of a case as it is, because its last mask was removed."""
        self._edits[key].close()
        self.forget_ended()

    def close_all(self) -> None:
        """Leave all files as they are."""
        for key in list(self._edits):
            self.close(key)

    def forget_ended(self) -> None:
        """Forget cases without edits, and unlock the folder if none of its files is written."""
        if not self._edits:
            return
        self._edits = {key: edits for key, edits in self._edits.items() if not edits.is_over}
        if all(edits.state is not EditsState.OPEN for edits in self._edits.values()):
            self._writes.submit(self._folder.unlock)

    def restorable_files(self, key: str, name: str) -> list[Path]:
        """Files of a name, of the case with a key, that no viewer writes, newest first."""
        edits, files = self._edits.get(key), self._folder.restorable_files(name)
        is_written = edits is not None and edits.state is EditsState.OPEN
        return [file for file in files if not (is_written and self._folder.is_own(file))]

    def answered(self, key: str) -> None:
        """Forget a closed case when the user has answered whether to restore its file."""
        edits = self._edits.get(key)
        if edits is not None and edits.state is not EditsState.OPEN:
            del self._edits[key]

    def set_aside(self, key: str, file: Path) -> None:
        """Keep a file of this viewer that was not restored; new edits get another file.

        Raises
        ------
        OutputError
            If it cannot be moved.
        """
        self.answered(key)
        self._writes.wait()
        self._folder.set_aside(file)

    def discard(self, key: str, file: Path) -> None:
        """Delete a file that the user does not want to restore."""
        if self._folder.is_own(file):
            self.answered(key)
        self._folder.discard(file)
