"""Overlapping windows, for volumes that memory cannot hold in one pass."""

from __future__ import annotations

import math

import numpy as np

from smalltumor.data.network_output import Probabilities
from smalltumor.inference.backends.base import Array, InferenceBackend
from smalltumor.inference.progress import ProgressReporter

OVERLAP = 0.5
"""Share of a window that the next one covers again."""


class SlidingWindow:
    """A backend that is shown one window at a time.

    Parameters
    ----------
    backend : InferenceBackend
    size : int
        Voxels along each edge of a window, a multiple of 32; less where an array has less.
    """

    def __init__(self, backend: InferenceBackend, size: int) -> None:
        self.backend, self.device = backend.backend, backend.device
        self._backend, self._size = backend, size

    def __call__(self, array: Array, progress: ProgressReporter) -> Probabilities:
        """See `InferenceBackend`; overlapping windows are blended with Gaussian weights."""
        import torch
        from monai.inferers import sliding_window_inference

        shape = [min(self._size, n) for n in array.shape[1:]]
        total = math.prod(map(_count, array.shape[1:], shape))
        done = 0

        def predict(window: torch.Tensor) -> torch.Tensor:
            nonlocal done
            with progress.subrange(min(done / total, 1.0), min((done + 1) / total, 1.0)):
                scores = self._backend(window[0].numpy(), progress)
            done += 1
            return torch.from_numpy(np.ascontiguousarray(scores.probabilities()))[None]

        blended = sliding_window_inference(
            torch.from_numpy(array)[None],
            roi_size=shape,
            sw_batch_size=1,
            predictor=predict,
            overlap=OVERLAP,
            mode="gaussian",
        )
        return Probabilities(blended[0].numpy())


def _count(length: int, window: int) -> int:
    """Windows along an axis."""
    return math.ceil((length - window) / (window * (1 - OVERLAP))) + 1
