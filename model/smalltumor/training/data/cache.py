"""A folder of prepared volumes, which runs may share and which does not grow without bound.

An entry is named after the case, and after a digest of its files, the preprocessing and the version
of the checks: corrected masks or another preprocessing give a new entry. Entries that no run has
used for a day may take `SPARE_BYTES` together; beyond that, those used longest ago are removed when
a run starts.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from smalltumor.data.made_by import MadeBy
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.preprocessing import PREPROCESSING_VERSION, Preprocessing
from smalltumor.errors import OutputError
from smalltumor.files.atomic import atomic_path
from smalltumor.files.transactions.temporary_names import TEMPORARY_FILES
from smalltumor.training.data.case_digest import case_digest
from smalltumor.training.data.training_case import TrainingCase

SPARE_BYTES = 10 * 2**30
"""About 300 cases of BraTS."""

_CHECKS_VERSION = 3
"""Raised when more is found out about cases, so that entries without it are not used."""

_IN_USE_SECONDS = 24 * 3600.0
"""An entry that was used within this time may belong to a run that is starting."""

_PARTS = ("image", "classes", "seeds", "warnings", "made_by")
"""Parts of an entry, as in file names; the seeds are the crop centres."""

_Texts = npt.NDArray[np.str_]
Arrays = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], _Texts, _Texts]
"""Image, classes, crop centres, warnings, and what made the mask."""


def storable_made_by(made_by: MadeBy | None) -> _Texts:
    """What made a mask, as an array; the inverse of `stored_made_by`."""
    return np.array([] if made_by is None else [json.dumps(made_by.as_json())], dtype=np.str_)


def stored_made_by(array: _Texts) -> MadeBy | None:
    """What made a mask; None if that is not known."""
    return MadeBy.from_json(json.loads(str(array[0]))) if array.size else None


class CaseCache:
    """Prepared volumes by case.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.

    Raises
    ------
    OutputError
        If it cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder} cannot be a cache: {error.strerror or error}") from error

    def load(
        self, files: CaseFiles, preprocessing: Preprocessing, prepare: Callable[[], Arrays]
    ) -> TrainingCase:
        """A case from the cache, or prepared now and added to it.

        Parameters
        ----------
        files : CaseFiles
        preprocessing : Preprocessing
        prepare : callable
            Computes the arrays of a case that is not in the cache.
        """
        versions = (PREPROCESSING_VERSION, _CHECKS_VERSION)
        digest = case_digest(files, *versions, preprocessing.to_dict())
        stem = f"{files.name}-{digest[:16]}"
        paths = [self._folder / f"{stem}.{part}.npy" for part in _PARTS]
        try:
            return _read(files.name, paths)
        except (FileNotFoundError, EOFError, ValueError):  # not there, or removed by another run
            for path, array in zip(paths, prepare(), strict=True):
                with atomic_path(path, overwrite=True) as temporary, temporary.open("wb") as file:
                    np.save(file, array)
            return _read(files.name, paths)

    def prune(self, spare_bytes: int = SPARE_BYTES) -> None:
        """Remove entries that have not been used for a day, those used longest ago first.

        An array that a running process has mapped stays readable until that process ends; where a
        mapped file cannot be removed, as on Windows, it is kept.

        Parameters
        ----------
        spare_bytes : int
            How much such entries may take together.
        """
        day_ago = time.time() - _IN_USE_SECONDS
        sizes: list[tuple[float, int, Path]] = []
        for path in [*self._folder.glob("*.npy"), *self._folder.glob(TEMPORARY_FILES)]:
            with suppress(FileNotFoundError):  # another run prunes at the same time
                status = path.stat()
                sizes.append((status.st_mtime, status.st_size, path))
        spare = 0
        for used, size, path in sorted(sizes, reverse=True):
            if used >= day_ago:
                continue
            spare += size
            if spare > spare_bytes or path.match(TEMPORARY_FILES):
                with suppress(OSError):
                    path.unlink()


def _read(name: str, paths: list[Path]) -> TrainingCase:
    """Map an entry, and mark it as used."""
    # Copy on write, because torch warns of memory that cannot be written to.
    image, classes = (torch.from_numpy(np.load(path, mmap_mode="c")) for path in paths[:2])
    centres, warnings, made_by = map(np.load, paths[2:])
    case = TrainingCase(
        name,
        image,
        classes,
        centres,
        warnings=tuple(map(str, warnings)),
        made_by=stored_made_by(made_by),
    )
    with suppress(PermissionError):  # a cache of somebody else
        for path in paths:
            os.utime(path)
    return case
