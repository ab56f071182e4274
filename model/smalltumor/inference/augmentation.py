"""The average over mirrored heads."""

from __future__ import annotations

from itertools import product

import numpy as np

from smalltumor.data.logits import Probabilities
from smalltumor.inference.backends.base import Array, Engine
from smalltumor.inference.progress import Watch

FLIPS = tuple(product((1, -1), repeat=3))
"""All eight, none first: steps of -1 along the axes that are mirrored."""


def mean_over_flips(engine: Engine, array: Array, watch: Watch) -> Probabilities:
    """Class probabilities, averaged over the eight ways to mirror the head.

    Parameters
    ----------
    engine : Engine
    array : (channel, l, p, s) float32 array
    watch : Watch

    Returns
    -------
    Probabilities
    """
    total: Array | None = None
    for number, steps in enumerate(FLIPS):
        mirror = (slice(None), *(slice(None, None, step) for step in steps))
        with watch.part(number / len(FLIPS), (number + 1) / len(FLIPS)):
            scores = engine(array[mirror], watch)
            found = scores.probabilities()[mirror]
        if total is None:
            total = np.array(found)
        else:
            total += found
    assert total is not None
    total /= len(FLIPS)
    return Probabilities(total)
