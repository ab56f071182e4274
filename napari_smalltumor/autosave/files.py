"""Autosave files, one per case, in a folder that is locked while its viewer is open.

::

    DATA/autosave/20261124-101530-5f3a9c/lock
                                        /Patient-1-c0ffee....safetensors

The operating system releases the lock when the process ends, even after a crash. A file in an
unlocked folder belongs to no open viewer and can be restored when its case is opened again.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.errors import GridMismatchError, OutputError, TensorFileError
from smalltumor.files.atomic import TEMPORARY_FILES
from smalltumor.files.tensor_file import read_metadata, read_tensors, write_tensors
from smalltumor.files.user_dirs import data_folder
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.metadata import identifying_files

FORMAT = "smalltumor autosave"
FORMAT_VERSION = 1
SUFFIX = ".safetensors"
_LOCK = "lock"


@dataclass(frozen=True)
class SavedMask:
    """The saved mask of a labels layer.

    Parameters
    ----------
    name : str
        Name of the layer.
    values : (i, j, k) integer array
        The mask, cropped to the bounding box of its non-zero voxels.
    start : (3,) int
        Index of the box's first voxel on the case's grid.
    region : Region, optional
        Region of a region layer.
    scheme : str, optional
        Name of the label scheme of tissue classes.
    predicted : bool
        Whether the tissue classes were predicted by a network in training.
    started : int, optional
        Checksum of the layer's data before they were edited.
    """

    name: str
    values: npt.NDArray[np.integer]
    start: tuple[int, int, int]
    region: Region | None = None
    scheme: str | None = None
    predicted: bool = False
    started: int | None = None

    def on_grid(self, shape: tuple[int, int, int]) -> npt.NDArray[np.integer]:
        """Return the mask as a volume (i, j, k) of the given shape.

        Raises
        ------
        GridMismatchError
            If the box exceeds the shape.
        """
        volume = np.zeros(shape, dtype=self.values.dtype)
        stop = np.add(self.start, self.values.shape)
        if min(self.start) < 0 or np.any(stop > shape):
            raise GridMismatchError(f"The saved mask {self.name} does not fit into {shape} voxels")
        box = tuple(slice(a, int(b)) for a, b in zip(self.start, stop, strict=True))
        volume[box] = self.values
        return volume


def case_digest(case: Case) -> str:
    """Sixteen hex digits that identify a case.

    It is told by its `identifying_files`, by the voxels of the images among them, and by its grid.
    """
    files = sorted(identifying_files(case).items())
    read = case.images_read
    images = {
        name: read[path].checksum for name, path in files if path is not None and path in read
    }
    identity = {
        "name": case.name,
        "files": {name: os.path.realpath(path) for name, path in files if path is not None},
        "shape": case.grid.shape,
        "affine": np.round(case.grid.affine, 3).tolist(),
    }
    if images:
        identity["images"] = images
    return sha256(json.dumps(identity).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def write_masks(path: Path, case: Case, masks: Iterable[SavedMask]) -> None:
    """Write the edited masks of a case atomically.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    masks = list(masks)
    tensors = {str(n): np.ascontiguousarray(mask.values) for n, mask in enumerate(masks)}
    layers = [
        {
            "name": m.name,
            "start": m.start,
            "region": m.region,
            "scheme": m.scheme,
            "predicted": m.predicted,
            "started": m.started,
        }
        for m in masks
    ]
    sources = [str(path) for path in case.sources]
    text = {"case": case.name, "sources": json.dumps(sources), "layers": json.dumps(layers)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise OutputError(f"{path.parent} cannot be created: {error.strerror or error}") from error
    write_tensors(path, tensors, FORMAT, FORMAT_VERSION, text, overwrite=True)


def read_masks(path: Path) -> list[SavedMask]:
    """Read a file that `write_masks` wrote.

    Raises
    ------
    TensorFileError
        If the file is missing or damaged, or has a later format version.
    """
    text = read_metadata(path, FORMAT, FORMAT_VERSION)
    tensors = read_tensors(path)
    try:
        layers = json.loads(text["layers"])
        return [_mask_of(layer, tensors[str(n)]) for n, layer in enumerate(layers)]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise TensorFileError(f"{path}: damaged autosave ({error})") from None


def _mask_of(layer: Any, values: npt.NDArray[np.generic]) -> SavedMask:
    i, j, k = (int(n) for n in layer["start"])
    if values.ndim != 3 or values.dtype.kind not in "iu":
        raise ValueError(f"{values.dtype} of shape {values.shape} is not a mask")
    region = None if layer["region"] is None else Region(layer["region"])
    predicted = bool(layer.get("predicted", False))  # absent in files of earlier versions
    started = layer.get("started")  # here too
    started = None if started is None else int(started)
    name, scheme = str(layer["name"]), layer["scheme"]
    return SavedMask(name, values, (i, j, k), region, scheme, predicted, started)  # type: ignore[arg-type]


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
            self._lock_file = (self.path / _LOCK).open("ab")
            _try_lock(self._lock_file)
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

    def restorable_files(self, case: Case) -> list[Path]:
        """Files of a case in unlocked folders and in this one, newest first.

        The caller must check whether it still writes to the file in this folder.
        """
        files = list(self.root.glob(f"*/{_escape(file_name(case, SUFFIX))}"))
        restorable = [f for f in files if f.parent == self.path or not _is_locked(f.parent)]
        return sorted(restorable, key=_modification_time, reverse=True)

    def folders_gone(self, case: Case) -> list[Path]:
        """Folders that held images of a case of this name with edits, and do not hold them now.

        Their edits are of no open viewer. They are not restored into the case, whose images may be
        those that were moved, or those of another patient.
        """
        own, pattern = file_name(case, SUFFIX), f"*/{_escape(_readable(case))}-*{SUFFIX}"
        files = [f for f in self.root.glob(pattern) if f.name != own and not _is_locked(f.parent)]
        found = (_sources(file, case.name) for file in sorted(files))
        return list(dict.fromkeys(s[0].parent for s in found if s and not any(map(Path.exists, s))))


def _new_name() -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"


def file_name(case: Case, suffix: str) -> str:
    """Name of a file that is kept for a case: readable, and ending in its `case_digest`."""
    return f"{_readable(case)}-{case_digest(case)}{suffix}"


def _readable(case: Case) -> str:
    return re.sub(r"[^\w.-]+", "_", case.name, flags=re.ASCII)[:60]


def _sources(file: Path, name: str) -> list[Path]:
    """The files of the case of an autosave file; empty if it is of a case of another name."""
    try:
        text = read_metadata(file, FORMAT, FORMAT_VERSION)
        return [Path(path) for path in json.loads(text["sources"])] if text["case"] == name else []
    except (TensorFileError, KeyError, TypeError, ValueError):
        return []


def _escape(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _modification_time(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("ab") as lock:
            return not _try_lock(lock)
    except OSError:  # another viewer may be deleting the folder
        return False


def _try_lock(file: IO[bytes]) -> bool:
    """Lock a file until it is closed; False if it is locked, True if locks are unsupported."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


def _remove_if_empty(folder: Path) -> None:
    if any(folder.glob("*" + SUFFIX)) or _is_locked(folder):
        return
    try:
        for file in (folder / _LOCK, *folder.glob(TEMPORARY_FILES)):
            file.unlink(missing_ok=True)
        folder.rmdir()
    except OSError:  # in use, or deleted already
        return
