"""Training crops: random cubes of a case, many of them centred on its tumour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn import functional

from smalltumor.labels.components import connected_components
from smalltumor.labels.masks import class_mask
from smalltumor.labels.regions import TissueClass
from smalltumor.training.data.training_case import TrainingCase

Voxels = npt.NDArray[np.int32]

_CLASS_PROBABILITIES = {TissueClass.NCR: 0.3, TissueClass.ED: 0.3, TissueClass.ET: 0.4}
"""How often a tumour crop is centred on each class, in a case that has all three."""

_VOXELS_PER_COMPONENT = 400
"""Voxels of a component, drawn at random, that crops may be centred on."""

_MIN_COMPONENT = 4
"""In voxels."""


def find_crop_centres(classes: npt.NDArray[np.uint8]) -> Voxels:
    """Voxels on which tumour crops of a case may be centred.

    Parameters
    ----------
    classes : (i, j, k) uint8 array
        Tissue classes.

    Returns
    -------
    (n, 6) int32 array
        Class, number of the component, its volume in voxels, i, j, k. Up to 400 random voxels
        of each component; components below 4 voxels are left out.
    """
    rng = np.random.default_rng(0)
    rows = [np.zeros((0, 6), dtype=np.int64)]
    for tissue in _CLASS_PROBABILITIES:
        for number, voxels in enumerate(connected_components(class_mask(classes, tissue)).voxels):
            if len(voxels) < _MIN_COMPONENT:
                continue
            chosen = rng.permutation(len(voxels))[:_VOXELS_PER_COMPONENT]
            columns = np.broadcast_to([tissue, number, len(voxels)], (len(chosen), 3))
            rows.append(np.hstack([columns, voxels[chosen]]))
    return np.concatenate(rows).astype(np.int32)


def sample_crop(
    case: TrainingCase,
    crop: int,
    foreground_probability: float,
    rng: np.random.Generator,
    margin: int = 0,
) -> tuple[Tensor, Tensor]:
    """A random cube of a case.

    With `foreground_probability` the cube is centred near a tumour voxel, which is drawn in three
    steps: a class among those present, a component of this class with a probability proportional
    to the cube root of its volume, and a voxel of this component. Otherwise the cube may lie
    anywhere in the volume.

    Parameters
    ----------
    case : TrainingCase
    crop : int
        Voxels along each axis; outside the case's volume the crop is 0.
    foreground_probability : float
        From 0 to 1.
    rng : numpy.random.Generator
    margin : int
        Voxels that are added on each side of the cube.

    Returns
    -------
    image : (channel, side, side, side) float32 tensor
        On the case's device; ``side`` is ``crop + 2 * margin``.
    classes : (side, side, side) uint8 tensor
    """
    shape = np.array(case.classes.shape)
    if len(case.crop_centres) and rng.random() < foreground_probability:
        jitter = rng.integers(-crop // 8, crop // 8 + 1, size=3)
        start = _sample_centre(case.crop_centres, rng) + jitter - crop // 2
    else:
        start = rng.integers(0, np.maximum(shape - crop, 0) + 1)
    start = np.where(shape > crop, np.clip(start, 0, shape - crop), (shape - crop) // 2) - margin
    side = crop + 2 * margin
    first, stop = np.maximum(start, 0), np.minimum(start + side, shape)
    box = tuple(slice(a, b) for a, b in zip(first.tolist(), stop.tolist(), strict=True))
    image, classes = case.intensities(box), case.classes[box]
    padding = np.stack([first - start, start + side - stop], axis=1)
    if padding.any():
        last_axis_first = padding[::-1].ravel().tolist()
        image = functional.pad(image, last_axis_first)
        classes = functional.pad(classes, last_axis_first)
    return image, classes


def _sample_centre(centres: Voxels, rng: np.random.Generator) -> Voxels:
    present = [tissue for tissue in _CLASS_PROBABILITIES if (centres[:, 0] == tissue).any()]
    weights = np.array([_CLASS_PROBABILITIES[tissue] for tissue in present])
    tissue = rng.choice(present, p=weights / weights.sum())
    rows = centres[centres[:, 0] == tissue]
    _, first_rows = np.unique(rows[:, 1], return_index=True)
    weights = np.cbrt(rows[first_rows, 2].astype(float))
    component = rows[rng.choice(first_rows, p=weights / weights.sum()), 1]
    rows = rows[rows[:, 1] == component]
    voxel: Voxels = rows[rng.integers(len(rows)), 3:]
    return voxel
