"""The folder of a viewer's autosave files, which is locked while the viewer is open.

::

    DATA/autosave/20261124-101530-5f3a9c/lock
                                        /Patient-1-c0ffee....safetensors

The operating system releases the lock when the process ends, even after a crash. A file in an
unlocked folder belongs to no open viewer and can be restored when its case is opened again.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

from smalltumor.data.case import Case
from smalltumor.errors import OutputError, TensorFileError
from smalltumor.files.transactions.temporary_names import TEMPORARY_FILES
from smalltumor.files.user_dirs import data_folder

from napari_smalltumor.autosave.folder_lock import LOCK, is_locked, lock
from napari_smalltumor.autosave.mask_files import SUFFIX, read_sources
from napari_smalltumor.case_data.records import file_name, readable
from napari_smalltumor.layers.metadata import identifying_files


class UnrestorableEdits(NamedTuple):
    """Edits that cannot be restored into the case of their name.

    Parameters
    ----------
    folder : Path
        The folder of their files.
    is_open : bool
        Whether files of theirs are open; otherwise they are gone.
    replaced : Path, optional
        The open file that held something else when the edits were made.
    """

    folder: Path
    is_open: bool
    replaced: Path | None


class AutosaveFolder:
    """The autosave folder of one viewer, created at the first write.

    Parameters
    ----------
    root : Path, optional
        Parent of the viewers' folders; by default ``autosave`` in the user's data folder.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or data_folder() / "autosave"
        self.path = self.root / _new_name()
        self._lock_file: IO[bytes] | None = None

    def file_of(self, case: Case) -> Path:
        """The file for the edits of a case."""
        return self.path / file_name(case, SUFFIX)

    def is_own(self, file: Path) -> bool:
        """Whether a file is in this folder."""
        return file.parent == self.path

    def lock(self) -> None:
        """Create the folder and lock it until `unlock` or the end of the process.

        Raises
        ------
        OutputError
            If the folder cannot be created.
        """
        if self._lock_file is not None:
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock_file = lock(self.path)
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be created: {error.strerror or error}"
            ) from error

    def discard(self, file: Path) -> None:
        """Delete a file, and also its folder if it is then empty and unlocked."""
        file.unlink(missing_ok=True)
        if file.parent != self.path:
            _remove_if_empty(file.parent)

    def set_aside(self, file: Path) -> None:
        """Move a file to an unlocked folder of its own, so that later edits do not replace it.

        Raises
        ------
        OutputError
            If it cannot be moved.
        """
        kept = self.root / _new_name() / file.name
        try:
            kept.parent.mkdir(parents=True, mode=0o700)
            file.replace(kept)
        except OSError as error:
            raise OutputError(f"{file} cannot be moved: {error.strerror or error}") from error

    def unlock(self) -> None:
        """Unlock the folder, so that any viewer may restore its files."""
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None
            _remove_if_empty(self.path)

    def restorable_files(self, name: str) -> list[Path]:
        """Files of a name in unlocked folders and in this one, newest first.

        The caller must check whether it still writes to the file in this folder.
        """
        files = list(self.root.glob(f"*/{_escape(name)}"))
        restorable = [f for f in files if f.parent == self.path or not is_locked(f.parent)]
        return sorted(restorable, key=_modification_time, reverse=True)

    def unrestorable_edits(self, case: Case) -> list[UnrestorableEdits]:
        """Edits of a case of this name whose files are gone, or hold those of the case now.

        They are of no open viewer. They are not restored into the case, whose images may be
        another patient's.
        """
        restorable = file_name(case, SUFFIX)
        files = sorted(self.root.glob(f"*/{_escape(readable(case.name))}-*{SUFFIX}"))
        others = (f for f in files if f.name != restorable and not is_locked(f.parent))
        reasons = (_unrestorable(case, _sources(file, case.name)) for file in others)
        return list(dict.fromkeys(edits for edits in reasons if edits is not None))


def _new_name() -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"


def _unrestorable(case: Case, sources: Sequence[Path]) -> UnrestorableEdits | None:
    """What has become of the files of some edits; None if they may be as they were."""
    read = {*case.loaded_images, *([case.loaded_labels.path] if case.loaded_labels else [])}
    shared = [path for path in sources if path in read]
    if not sources or (not shared and any(map(os.path.exists, sources))):
        return None
    replaced = [path for path in identifying_files(case).values() if path in shared]
    return UnrestorableEdits(sources[0].parent, bool(shared), replaced[0] if replaced else None)


def _sources(file: Path, name: str) -> list[Path]:
    """The files of the case of an autosave file; empty if it is of a case of another name."""
    try:
        case, sources = read_sources(file)
    except TensorFileError:
        return []
    return sources if case == name else []


def _escape(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _modification_time(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _remove_if_empty(folder: Path) -> None:
    if any(folder.glob("*" + SUFFIX)) or is_locked(folder):
        return
    try:
        for file in (folder / LOCK, *folder.glob(TEMPORARY_FILES)):
            file.unlink(missing_ok=True)
        folder.rmdir()
    except OSError:  # in use, or deleted already
        return
