"""Small enhancing lesions for brains that have none: a tumour core, shrunk, put somewhere else.

In few patients small lesions are few, and a network that has met five of them has learnt five.
Every core that enhances gives many: shrunk to a size drawn at random it keeps its rim, its
contrast and its place among the four modalities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smalltumor.components import bounding_box, connected_components
from smalltumor.labels import TissueClass

SMALLEST, LARGEST = 30, 2000
"""Voxels that a pasted lesion may have."""

_CORE = (TissueClass.NCR, TissueClass.ET)
_LEAST_SOURCE = 200
_LEAST_ENHANCING = 0.3
_SOLID_BELOW = 300
"""Voxels; a ring that small has no core left to see."""
_TRIES = 8

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Lesion:
    """An enhancing tumour core, cut out along its border.

    Parameters
    ----------
    share : (2, i, j, k) float32 array
        Of each voxel, how much is its NCR and how much its ET.
    signal : (2, channel, i, j, k) float32 array
        Normalised modalities times `share`, so that neither part bleeds into the other, nor what
        lies around into both, when voxels are averaged.
    voxels : float
        Of the core.
    """

    share: Floats
    signal: Floats
    voxels: float

    def shrunk(self, voxels: float) -> Lesion:
        """The lesion as it would look with so many voxels, at most those it has."""
        import torch
        from torch.nn import functional

        factor = min(1.0, voxels / self.voxels) ** (1 / 3)
        i, j, k = (max(1, round(n * factor)) for n in self.share.shape[1:])
        both = torch.from_numpy(np.concatenate([self.share, *self.signal]))
        mean = functional.adaptive_avg_pool3d(both, (i, j, k)).numpy()
        signal = mean[2:].reshape(2, -1, i, j, k)
        return Lesion(mean[:2], signal, voxels)


def enhancing_lesions(
    image: npt.NDArray[np.floating], classes: npt.NDArray[np.uint8]
) -> list[Lesion]:
    """Tumour cores of one case that enhance and are large enough to be shrunk.

    Parameters
    ----------
    image : (channel, i, j, k) array
        Normalised modalities.
    classes : (i, j, k) uint8 array
        Tissue classes.
    """
    lesions = []
    for voxels in connected_components(np.isin(classes, _CORE)).voxels:
        enhancing = classes[tuple(voxels.T)] == TissueClass.ET
        if len(voxels) >= _LEAST_SOURCE and enhancing.mean() >= _LEAST_ENHANCING:
            own = np.zeros(classes.shape, dtype=bool)
            own[tuple(voxels.T)] = True
            box = bounding_box(own)
            share = np.stack([own[box] & (classes[box] == part) for part in _CORE])
            signal = share[:, None] * np.asarray(image[(slice(None), *box)], dtype=np.float32)
            lesion = Lesion(share.astype(np.float32), signal, len(voxels))
            lesions.append(lesion.shrunk(min(4 * LARGEST, len(voxels))))
    return lesions


def paste_lesion(
    image: Floats,
    classes: npt.NDArray[np.uint8],
    lesions: Sequence[Lesion],
    rng: np.random.Generator,
) -> bool:
    """Put a shrunk lesion into a crop, in place, where there is brain and no tumour core.

    Parameters
    ----------
    image : (channel, i, j, k) float32 array
        Normalised modalities, 0 outside the brain.
    classes : (i, j, k) uint8 array
    lesions : sequence of Lesion
    rng : numpy.random.Generator

    Returns
    -------
    bool
        False if no place was found; the crop is as it was.
    """
    lesion = lesions[int(rng.integers(len(lesions)))]
    largest = min(LARGEST, lesion.voxels)
    voxels = np.exp(rng.uniform(np.log(SMALLEST), np.log(largest)))
    values, cover, tissue = _content(lesion.shrunk(voxels), rng)
    room = np.array(classes.shape) - cover.shape
    if (room < 0).any():
        return False
    for _ in range(_TRIES):
        start = rng.integers(0, room + 1)
        place = tuple(slice(a, a + n) for a, n in zip(start, cover.shape, strict=True))
        here, there = image[(slice(None), *place)], classes[place]
        free = (here != 0).all(axis=0) & ~np.isin(there, _CORE)
        if free[cover > 0].all():
            here += cover * (values - here)
            own = cover > 0.5
            there[own] = tissue[own]
            return True
    return False


def _content(
    lesion: Lesion, rng: np.random.Generator
) -> tuple[Floats, Floats, npt.NDArray[np.uint8]]:
    """Modalities of a lesion, how much of each voxel it covers, and the voxel's class."""
    cover = lesion.share.sum(axis=0)
    if lesion.voxels < _SOLID_BELOW or rng.random() < 0.5:
        weight, signal = lesion.share[1], lesion.signal[1]
        mean = signal.sum(axis=(1, 2, 3), keepdims=True) / weight.sum()
        values = np.where(weight > 0.1, signal / np.maximum(weight, 0.1), mean)
        tissue = np.full(cover.shape, TissueClass.ET, dtype=np.uint8)
    else:
        values = lesion.signal.sum(axis=0) / np.maximum(cover, 1e-6)
        tissue = np.array(_CORE, dtype=np.uint8)[lesion.share.argmax(axis=0)]
    flips = tuple(axis for axis in range(3) if rng.random() < 0.5)
    flipped = np.flip(values, tuple(1 + axis for axis in flips)), np.flip(cover, flips)
    return (*flipped, np.flip(tissue, flips))
