"""Training cases on disk, prepared once and mapped into memory, and the crops drawn from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import read_case_files
from smalltumor.data.case_files import CaseFiles, find_cases
from smalltumor.data.label_files import read_labels
from smalltumor.data.preprocessing import Preprocessing, prepare
from smalltumor.errors import Action, CaseError, LabelError, Remedy, TrainingError
from smalltumor.files.atomic import atomic_path
from smalltumor.labels.components import connected_components
from smalltumor.labels.regions import TissueClass

CACHE_VERSION = 1
_PARTS = ("image", "classes", "seeds")
_SEEDS_PER_COMPONENT = 400
_SMALLEST_SEEDED = 4
_CENTRE_ON = {TissueClass.NCR: 0.3, TissueClass.ED: 0.3, TissueClass.ET: 0.4}


@dataclass(frozen=True)
class PreparedCase:
    """One case exactly as inference would see it, memory-mapped.

    Parameters
    ----------
    name : str
    image : (channel, i, j, k) float16 array
        Normalised modalities, 0 outside the brain.
    classes : (i, j, k) uint8 array
        Tissue classes.
    seeds : (n, 6) int32 array
        Voxels to centre crops on: class, component, voxels of the component, i, j, k.
    """

    name: str
    image: npt.NDArray[np.float16]
    classes: npt.NDArray[np.uint8]
    seeds: npt.NDArray[np.int32]


def labelled_cases(folder: Path, exclude: Iterable[str] = ()) -> list[CaseFiles]:
    """Cases in a folder that can be learnt from.

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


def prepare_cases(
    cases: Sequence[CaseFiles], preprocessing: Preprocessing, cache: Path
) -> list[PreparedCase]:
    """Prepare cases, or find them prepared.

    Parameters
    ----------
    cases : sequence of CaseFiles
    preprocessing : Preprocessing
    cache : Path
        Folder of prepared volumes; a case whose files and preprocessing have not changed is
        taken from it.

    Raises
    ------
    TrainingError
        Naming the case that cannot be read.
    """
    cache.mkdir(parents=True, exist_ok=True)
    return [_prepared(case, preprocessing, cache) for case in cases]


def _prepared(files: CaseFiles, preprocessing: Preprocessing, cache: Path) -> PreparedCase:
    try:
        stem = cache / f"{files.name}-{_key(files, preprocessing)}"
        paths = [
            stem.with_name(f"{stem.name}.{part}.npy") for part in ("image", "classes", "seeds")
        ]
        if not all(path.is_file() for path in paths):
            arrays: list[npt.NDArray[np.generic]] = [*_prepare(files, preprocessing)]
            for path, array in zip(paths, arrays, strict=True):
                with atomic_path(path, overwrite=True) as temporary, temporary.open("wb") as file:
                    np.save(file, array)
        image, classes = (np.load(path, mmap_mode="r") for path in paths[:2])
        return PreparedCase(files.name, image, classes, np.load(paths[2]))
    except (CaseError, LabelError, OSError, ValueError) as error:
        remedy = error.remedy if isinstance(error, CaseError | LabelError) else None
        raise TrainingError(f"{files.name} cannot be trained on: {error}", remedy) from error


def _key(files: CaseFiles, preprocessing: Preprocessing) -> str:
    settings = [CACHE_VERSION, preprocessing.to_dict()]
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    images = (
        [files.stacked] if files.stacked else [p[0] for _, p in sorted(files.modalities.items())]
    )
    for path in [*images, *files.labels]:
        if path is not None:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _prepare(
    files: CaseFiles, preprocessing: Preprocessing
) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    case = read_case_files(files)
    labels, _ = read_labels(case)
    ready = prepare(case, preprocessing)
    classes = ready.crop(ready.network_grid.labels_to_network(labels))
    return ready.array.astype(np.float16), classes, _seeds(classes)


def _seeds(classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """The same number of voxels from every component, so that small ones are met as often."""
    rng = np.random.default_rng(0)
    rows = [np.zeros((0, 6), dtype=np.int64)]
    for tissue in _CENTRE_ON:
        for number, voxels in enumerate(connected_components(classes == tissue).voxels):
            if len(voxels) < _SMALLEST_SEEDED:
                continue
            chosen = rng.permutation(len(voxels))[:_SEEDS_PER_COMPONENT]
            facts = np.broadcast_to([tissue, number, len(voxels)], (len(chosen), 3))
            rows.append(np.hstack([facts, voxels[chosen]]))
    return np.concatenate(rows).astype(np.int32)


def draw_crop(
    case: PreparedCase,
    crop: int,
    tumour_crops: float,
    rng: np.random.Generator,
    reach: int = 0,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """A random cube of a case.

    Centred, in `tumour_crops` of the cases, on a voxel of a tumour class; which class is drawn
    among those present, then which component, large ones only a little more often than small
    ones. Elsewhere the cube lies anywhere.

    Parameters
    ----------
    case : PreparedCase
    crop : int
        Voxels along each axis; what lies beyond the brain's box is 0.
    tumour_crops : float
    rng : numpy.random.Generator
    reach : int
        Voxels on each side of the cube that are given beside it.

    Returns
    -------
    image : (channel, side, side, side) float32 array
        ``side`` is ``crop + 2 * reach``.
    classes : (side, side, side) uint8 array
    """
    shape = np.array(case.classes.shape)
    if len(case.seeds) and rng.random() < tumour_crops:
        jitter = rng.integers(-crop // 8, crop // 8 + 1, size=3)
        start = _tumour_voxel(case.seeds, rng) + jitter - crop // 2
    else:
        start = rng.integers(0, np.maximum(shape - crop, 0) + 1)
    start = np.where(shape > crop, np.clip(start, 0, shape - crop), (shape - crop) // 2) - reach
    side = crop + 2 * reach
    stop = np.minimum(start + side, shape)
    first = np.maximum(start, 0)
    inside = tuple(slice(a, b) for a, b in zip(first, stop, strict=True))
    target = tuple(slice(a, b) for a, b in zip(first - start, stop - start, strict=True))
    image = np.zeros((len(case.image), side, side, side), dtype=np.float32)
    classes = np.zeros((side, side, side), dtype=np.uint8)
    image[(slice(None), *target)] = case.image[(slice(None), *inside)]
    classes[target] = case.classes[inside]
    return image, classes


def _tumour_voxel(seeds: npt.NDArray[np.int32], rng: np.random.Generator) -> npt.NDArray[np.int32]:
    present = [t for t in _CENTRE_ON if (seeds[:, 0] == t).any()]
    odds = np.array([_CENTRE_ON[t] for t in present])
    tissue = rng.choice(present, p=odds / odds.sum())
    rows = seeds[seeds[:, 0] == tissue]
    _, first = np.unique(rows[:, 1], return_index=True)
    odds = np.cbrt(rows[first, 2].astype(float))
    component = rows[rng.choice(first, p=odds / odds.sum()), 1]
    rows = rows[rows[:, 1] == component]
    voxel: npt.NDArray[np.int32] = rows[rng.integers(len(rows)), 3:]
    return voxel
