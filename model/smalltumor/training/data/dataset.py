"""Training cases: found in a folder or a pack, prepared once, and memory-mapped from a cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from smalltumor.data.input_checks import check_input
from smalltumor.data.mask_placement.mask_placement import placement_text
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.preprocessing import Preprocessing, preprocess
from smalltumor.data.read_case import read_case_files
from smalltumor.errors import Action, CaseError, LabelError, Remedy, TrainingError
from smalltumor.training.data.cache import Arrays, CaseCache, storable_made_by, stored_made_by
from smalltumor.training.data.crops import find_crop_centres
from smalltumor.training.data.expert_labels import check_complete, read_expert_labels
from smalltumor.training.data.pack import Pack, PackedCase, packed_cases
from smalltumor.training.data.training_case import TrainingCase

LabelledCase = CaseFiles | PackedCase
"""A case that can be trained on, before it is read."""


def labelled_cases(folder: Path, exclude: Iterable[str] = ()) -> list[LabelledCase]:
    """Cases in a folder that can be trained on.

    Parameters
    ----------
    folder : Path
        A pack, or as `find_cases` takes it.
    exclude : iterable of str
        Names of cases to leave out.

    Raises
    ------
    TrainingError
        If a case is incomplete or has no segmentation, a pack is damaged, or none is left.
    """
    found: Sequence[LabelledCase]
    found = packed_cases(folder) if Pack.is_in(folder) else find_cases(folder)
    left_out = set(exclude)
    cases = [case for case in found if case.name not in left_out]
    for case in cases:
        _check_complete(case)
    if not cases:
        raise TrainingError(f"{folder}: no case is left to train on")
    return cases


def _check_complete(case: LabelledCase) -> None:
    if isinstance(case, PackedCase):
        return
    problem = case.problem() or (None if case.labels else "has no segmentation")
    if problem:
        raise TrainingError(f"{case.name}: {problem}", Remedy(Action.CHECK_DATASET))


def _no_check() -> None:
    pass


def prepare_cases(
    cases: Sequence[LabelledCase],
    preprocessing: Preprocessing,
    cache: Path,
    check: Callable[[], None] = _no_check,
) -> list[TrainingCase]:
    """Prepare cases, or read them from the cache or a pack.

    Parameters
    ----------
    cases : sequence of LabelledCase
    preprocessing : Preprocessing
    cache : Path
        Folder of prepared volumes, see `CaseCache`; cases of a pack are not added to it.
    check : callable
        Called before each case; may raise to abort.

    Raises
    ------
    TrainingError
        Naming the case that cannot be read, or the pack that is damaged or was prepared in
        another way.
    OutputError
        If the cache cannot be written.
    """
    prepared = []
    for case in cases:
        check()
        if isinstance(case, PackedCase):
            prepared.append(case.load(preprocessing))
        else:
            prepared.append(_prepared(case, preprocessing, CaseCache(cache)))
    return prepared


def _prepared(files: CaseFiles, preprocessing: Preprocessing, cache: CaseCache) -> TrainingCase:
    with _naming(files):
        return cache.load(files, preprocessing, lambda: _prepare(files, preprocessing))


def prepare_case(case: LabelledCase, preprocessing: Preprocessing) -> TrainingCase:
    """Prepare one case in memory, or read it from its pack.

    Raises
    ------
    TrainingError
        As `prepare_cases`.
    """
    if isinstance(case, PackedCase):
        return case.load(preprocessing)
    with _naming(case):
        image, classes, centres, warnings, made_by = _prepare(case, preprocessing)
    return TrainingCase(
        case.name,
        torch.from_numpy(image),
        torch.from_numpy(classes),
        centres,
        warnings=tuple(map(str, warnings)),
        made_by=stored_made_by(made_by),
    )


@contextmanager
def _naming(files: CaseFiles) -> Iterator[None]:
    try:
        yield
    except (CaseError, LabelError, OSError, ValueError) as error:
        remedy = error.remedy if isinstance(error, CaseError | LabelError) else None
        raise TrainingError(f"{files.name} cannot be trained on: {error}", remedy) from error


def _prepare(files: CaseFiles, preprocessing: Preprocessing) -> Arrays:
    case = read_case_files(files)
    labels = read_expert_labels(case)  # may add a warning
    check_complete(labels, case)
    warnings = [
        *case.warnings,
        *map(str, check_input(case)),
        *filter(None, [placement_text(case, labels.classes)]),
    ]
    ready = preprocess(case, preprocessing)
    classes = ready.crop(ready.network_grid.labels_to_network(labels.classes))
    image = ready.array.astype(np.float16)
    made_by = storable_made_by(labels.made_by)
    return image, classes, find_crop_centres(classes), np.array(warnings, dtype=np.str_), made_by
