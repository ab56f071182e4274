"""The Dice that a network expects of its own mask."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from smalltumor.data.probabilities.network_output import (
    HalfResolutionLogits,
    NetworkOutput,
    softmax,
)
from smalltumor.labels.regions import REGION_CLASSES, Region

_LEAD = 7.0
"""Voxels in whose logits background leads every other class by this are left out: the probability
of each is below 0.001."""


def expected_dice(output: NetworkOutput) -> Mapping[Region, float | None]:
    """The Dice of each region that the network's probabilities let expect.

    With the probability p of a region and its mask m, that of the most probable classes, both
    summed over voxels: 2 sum(p m) / (sum(p) + sum(m)). Networks are overconfident: it orders cases,
    and is no estimate of their Dice.

    Parameters
    ----------
    output : NetworkOutput
        At half resolution its logits are taken as they are, not doubled.

    Returns
    -------
    dict of Region to float or None
        From 0 to 1; None of a region whose mask is empty.
    """
    probabilities = _of_voxels_with_tumour(output)
    classes = probabilities.argmax(axis=0)
    return {
        region: _expected(probabilities[[*of_region]].sum(axis=0), np.isin(classes, [*of_region]))
        for region, of_region in REGION_CLASSES.items()
    }


def _of_voxels_with_tumour(output: NetworkOutput) -> npt.NDArray[np.float32]:
    """Class probabilities (class, n)."""
    if isinstance(output, HalfResolutionLogits):
        logits = output.logits
        tumour = logits[1:].max(axis=0) > logits[0] - np.float32(_LEAD)
        return softmax(np.stack([of_class[tumour] for of_class in logits]))
    return output.probabilities().reshape(len(output.probabilities()), -1)


def _expected(probabilities: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]) -> float | None:
    voxels = int(np.count_nonzero(mask))
    if not voxels:
        return None
    inside = float(probabilities[mask].sum(dtype=np.float64))
    return 2 * inside / (float(probabilities.sum(dtype=np.float64)) + voxels)
