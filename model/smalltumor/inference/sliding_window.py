"""Sliding-window inference, for volumes that do not fit in memory in one pass."""

from __future__ import annotations

from functools import reduce
from itertools import product

import numpy as np

from smalltumor.data.probabilities.network_output import Probabilities
from smalltumor.inference.backends.base import Array, InferenceBackend
from smalltumor.progress import ProgressReporter

OVERLAP = 0.5
"""Overlap of neighbouring windows, as a fraction of the window's edge."""

SIGMA = 0.125
"""Standard deviation of the Gaussian weights, as a fraction of the window's edge."""

MIN_WEIGHT = 1e-3
"""Minimum weight within a window, so that the weights of no voxel of the volume sum to zero."""


class SlidingWindow:
    """A backend that runs another backend on overlapping windows.

    Predictions are averaged with Gaussian weights, which are largest at the centre of each window
    (Isensee et al., *nnU-Net*, Nature Methods 2021). Positions and weights equal those of MONAI's
    ``sliding_window_inference`` with ``mode="gaussian"``. MONAI is not used, because importing it
    takes seconds and 166 MB of memory.

    Parameters
    ----------
    backend : InferenceBackend
    size : int
        Edge of the windows in voxels, a multiple of 32; limited to the edges of the array.
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
    """First voxels of the windows along an axis; the last window ends at the last voxel."""
    step = max(int(window * (1 - OVERLAP)), 1)
    count = -(-(length - window) // step) + 1
    return [min(number * step, length - window) for number in range(count)]


def gaussian_weights(shape: list[int]) -> Array:
    """Gaussian weights of the voxels of a window, (i, j, k) float32."""
    axes = []
    for size in shape:
        distance = np.arange(size) - (size - 1) / 2
        axes.append(np.exp(-0.5 * (distance / (SIGMA * size)) ** 2))
    weights: Array = np.maximum(reduce(np.multiply.outer, axes), MIN_WEIGHT).astype(np.float32)
    return weights
