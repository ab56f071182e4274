"""Modality dropout: training crops in which a sequence is missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from smalltumor.data.naming.case_files import OPTIONAL_MODALITIES


def drop_modalities(
    image: Tensor, channels: Sequence[str], probability: float, rng: np.random.Generator
) -> Tensor:
    """A crop without some of its modalities; a missing one is 0 everywhere, as the background.

    Parameters
    ----------
    image : (channel, i, j, k) tensor
        Normalised modalities.
    channels : sequence of str
        Modality of each channel.
    probability : float
        With which each of `OPTIONAL_MODALITIES` is dropped. If all channels would be, none is.
    rng : numpy.random.Generator
    """
    optional = [n for n, modality in enumerate(channels) if modality in OPTIONAL_MODALITIES]
    dropped = [n for n in optional if rng.random() < probability]
    if not dropped or len(dropped) == len(channels):
        return image
    kept = image.new_ones(len(channels), 1, 1, 1)
    kept[dropped] = 0
    return image * kept
