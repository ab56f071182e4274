"""The autosave file of one case, in the folder of one viewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.files.existence import is_absent

from napari_smalltumor.autosave.folder import AutosaveFolder
from napari_smalltumor.autosave.mask_copies import MaskCopy
from napari_smalltumor.autosave.mask_files import write_masks
from napari_smalltumor.autosave.write_queue import WriteQueue


class CaseFile:
    """The autosave file of a case, as it will be when all writes have ended.

    Parameters
    ----------
    case : Case
    folder : AutosaveFolder
    writes : WriteQueue

    Attributes
    ----------
    checksums : mapping of str to int
        Checksums of the masks in the last write, by `layer_key`; empty if there is no file.
    """

    def __init__(self, case: Case, folder: AutosaveFolder, writes: WriteQueue) -> None:
        self._case, self._folder, self._writes = case, folder, writes
        self.checksums: Mapping[str, int] = {}
        self._baseline_checksums: Mapping[str, int | None] = {}
        self._last_write: Future[None] | None = None

    @property
    def write_failed(self) -> bool:
        """Whether the last write has ended with an error."""
        write = self._last_write
        return write is not None and write.done() and write.exception() is not None

    def holds(self, copies: Mapping[str, MaskCopy]) -> bool:
        """Whether the last write was of these masks with these baselines."""
        return (_checksums(copies), _baseline_checksums(copies)) == (
            self.checksums,
            self._baseline_checksums,
        )

    def write(self, copies: Mapping[str, MaskCopy], readers: Sequence[str]) -> None:
        """Replace the masks in the file; without masks, delete it."""
        self.checksums, self._baseline_checksums = _checksums(copies), _baseline_checksums(copies)
        self._last_write = self._writes.submit(
            _write, self._folder, self._case, list(copies.values()), tuple(readers)
        )

    def set_aside(self) -> None:
        """Move the file to a folder of its own; the next write creates another one."""
        self._writes.submit(_set_aside, self._folder, self._folder.file_of(self._case))
        self.forget()

    def forget(self) -> None:
        """Write the masks again next time: another viewer may have taken the file."""
        self.checksums, self._baseline_checksums, self._last_write = {}, {}, None


def _checksums(copies: Mapping[str, MaskCopy]) -> dict[str, int]:
    return {key: copy.checksum for key, copy in copies.items()}


def _baseline_checksums(copies: Mapping[str, MaskCopy]) -> dict[str, int | None]:
    return {key: copy.baseline_checksum for key, copy in copies.items()}


def _write(
    folder: AutosaveFolder, case: Case, copies: Sequence[MaskCopy], readers: Sequence[str]
) -> None:
    if not copies:
        folder.discard(folder.file_of(case))
        return
    folder.lock()
    masks = [copy.cropped() for copy in copies]
    write_masks(folder.file_of(case), case, masks, readers)


def _set_aside(folder: AutosaveFolder, file: Path) -> None:
    if not is_absent(file):
        folder.set_aside(file)
