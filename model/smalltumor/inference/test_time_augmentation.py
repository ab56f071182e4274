"""Test-time augmentation: the prediction averaged over mirrored volumes."""

from __future__ import annotations

from itertools import product

import numpy as np

from smalltumor.data.probabilities.network_output import Probabilities
from smalltumor.inference.backends.base import Array, InferenceBackend
from smalltumor.progress import ProgressReporter

MIRRORED_STEPS = tuple(product((1, -1), repeat=3))
"""Slice steps along (l, p, s) of the eight mirrored volumes; -1 mirrors an axis."""


def average_over_mirrored(
    backend: InferenceBackend, array: Array, progress: ProgressReporter
) -> Probabilities:
    """Class probabilities, averaged over the eight mirrored volumes.

    Parameters
    ----------
    backend : InferenceBackend
    array : (channel, l, p, s) float32 array
    progress : ProgressReporter

    Returns
    -------
    Probabilities
    """
    total: Array | None = None
    count = len(MIRRORED_STEPS)
    for number, steps in enumerate(MIRRORED_STEPS):
        mirror = (slice(None), *(slice(None, None, step) for step in steps))
        with progress.subrange(number / count, (number + 1) / count):
            output = backend(array[mirror], progress)
            probabilities = output.probabilities()[mirror]
        if total is None:
            total = np.array(probabilities)
        else:
            total += probabilities
    assert total is not None
    total /= count
    return Probabilities(total)
