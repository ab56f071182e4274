"""Training cases: found in a folder, prepared once, and memory-mapped from a cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import read_case_files
from smalltumor.data.case_files import CaseFiles, find_cases
from smalltumor.data.label_files import read_labels
from smalltumor.data.preprocessing import Preprocessing, prepare
from smalltumor.errors import Action, CaseError, LabelError, Remedy, TrainingError
from smalltumor.training.data.cache import CaseCache
from smalltumor.training.data.crops import find_crop_centres
from smalltumor.training.data.prepared_case import PreparedCase


def labelled_cases(folder: Path, exclude: Iterable[str] = ()) -> list[CaseFiles]:
    """Cases in a folder that can be trained on.

    Parameters
    ----------
    folder : Path
        As `find_cases` takes it.
    exclude : iterable of str
        Names of cases to leave out.

    Raises
    ------
    TrainingError
        If a case is incomplete or has no segmentation, or none is left.
    """
    left_out = set(exclude)
    cases = [case for case in find_cases(folder) if case.name not in left_out]
    for case in cases:
        problem = case.problem() or (None if case.labels else "has no segmentation")
        if problem:
            raise TrainingError(f"{case.name}: {problem}", Remedy(Action.CHECK_DATASET))
    if not cases:
        raise TrainingError(f"{folder}: no case is left to train on")
    return cases


def _no_check() -> None:
    pass


def prepare_cases(
    cases: Sequence[CaseFiles],
    preprocessing: Preprocessing,
    cache: Path,
    check: Callable[[], None] = _no_check,
) -> list[PreparedCase]:
    """Prepare cases, or read them from the cache.

    Parameters
    ----------
    cases : sequence of CaseFiles
    preprocessing : Preprocessing
    cache : Path
        Folder of prepared volumes, see `CaseCache`.
    check : callable
        Called before each case; may raise to abort.

    Raises
    ------
    TrainingError
        Naming the case that cannot be read.
    OutputError
        If the cache cannot be written.
    """
    stored = CaseCache(cache)
    prepared = []
    for files in cases:
        check()
        prepared.append(_prepared(files, preprocessing, stored))
    return prepared


def _prepared(files: CaseFiles, preprocessing: Preprocessing, cache: CaseCache) -> PreparedCase:
    try:
        return cache.load(files, preprocessing, lambda: _prepare(files, preprocessing))
    except (CaseError, LabelError, OSError, ValueError) as error:
        remedy = error.remedy if isinstance(error, CaseError | LabelError) else None
        raise TrainingError(f"{files.name} cannot be trained on: {error}", remedy) from error


def _prepare(
    files: CaseFiles, preprocessing: Preprocessing
) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    case = read_case_files(files)
    labels, _ = read_labels(case)
    ready = prepare(case, preprocessing)
    classes = ready.crop(ready.network_grid.labels_to_network(labels))
    return ready.array.astype(np.float16), classes, find_crop_centres(classes)
