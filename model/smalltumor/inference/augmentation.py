"""The average over mirrored heads."""

from __future__ import annotations

from itertools import product

import numpy as np

from smalltumor.data.network_output import Probabilities
from smalltumor.inference.backends.base import Array, InferenceBackend
from smalltumor.inference.progress import ProgressReporter

MIRRORED_STEPS = tuple(product((1, -1), repeat=3))
"""All eight, none first: steps of -1 along the axes that are mirrored."""


def average_over_mirrored(
    backend: InferenceBackend, array: Array, progress: ProgressReporter
) -> Probabilities:
    """Class probabilities, averaged over the eight ways to mirror the head.

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
    for number, steps in enumerate(MIRRORED_STEPS):
        mirror = (slice(None), *(slice(None, None, step) for step in steps))
        with progress.subrange(number / len(MIRRORED_STEPS), (number + 1) / len(MIRRORED_STEPS)):
            output = backend(array[mirror], progress)
            found = output.probabilities()[mirror]
        if total is None:
            total = np.array(found)
        else:
            total += found
    assert total is not None
    total /= len(MIRRORED_STEPS)
    return Probabilities(total)
