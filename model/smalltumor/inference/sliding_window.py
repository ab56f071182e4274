"""Sliding-window inference, for volumes that memory cannot hold in one pass."""

from __future__ import annotations

from functools import reduce
from itertools import product

import numpy as np

from smalltumor.data.network_output import Probabilities
from smalltumor.inference.backends.base import Array, InferenceBackend
from smalltumor.inference.progress import ProgressReporter

OVERLAP = 0.5
"""Share of a window that the next one covers again."""

SIGMA = 0.125
"""Standard deviation of the Gaussian weights, as a share of the window's edge."""

MIN_WEIGHT = 1e-3
"""Least weight of a voxel of a window, so that no voxel of the volume has weight zero."""


class SlidingWindow:
    """A backend that runs another one on overlapping windows.

    Predictions are averaged with Gaussian weights, which favour the middle of each window
    (Isensee et al., *nnU-Net*, Nature Methods 2021). Positions and weights are those of MONAI's
    ``sliding_window_inference`` with ``mode="gaussian"``. It is written out here because importing
    MONAI takes seconds and 166 MB, just when memory is short.

    Parameters
    ----------
    backend : InferenceBackend
    size : int
        Edge of a window in voxels, a multiple of 32; shorter where the array is.
    """

    def __init__(self, backend: InferenceBackend, size: int) -> None:
        self.backend, self.device = backend.backend, backend.device
        self._run, self._size = backend, size

    def __call__(self, array: Array, progress: ProgressReporter) -> Probabilities:
        """See `InferenceBackend`."""
        volume = array.shape[1:]
        window = [min(self._size, n) for n in volume]
        weights = gaussian_weights(window)
        starts = list(product(*map(window_starts, volume, window)))
        total: Array | None = None
        total_weights = np.zeros(volume, dtype=np.float32)
        for number, start in enumerate(starts):
            i, j, k = (slice(first, first + n) for first, n in zip(start, window, strict=True))
            with progress.subrange(number / len(starts), (number + 1) / len(starts)):
                probabilities = self._run(array[:, i, j, k], progress).probabilities()
            if total is None:
                total = np.zeros((len(probabilities), *volume), dtype=np.float32)
            total[:, i, j, k] += weights * probabilities
            total_weights[i, j, k] += weights
        assert total is not None
        total /= total_weights
        return Probabilities(total)


def window_starts(length: int, window: int) -> list[int]:
    """First voxels of the windows along an axis; the last window ends with the axis."""
    step = max(int(window * (1 - OVERLAP)), 1)
    count = -(-(length - window) // step) + 1
    return [min(number * step, length - window) for number in range(count)]


def gaussian_weights(shape: list[int]) -> Array:
    """Weights of a window's voxels, (i, j, k) float32: a Gaussian around its centre."""
    axes = []
    for size in shape:
        distance = np.arange(size) - (size - 1) / 2
        axes.append(np.exp(-0.5 * (distance / (SIGMA * size)) ** 2))
    weights: Array = np.maximum(reduce(np.multiply.outer, axes), MIN_WEIGHT).astype(np.float32)
    return weights
