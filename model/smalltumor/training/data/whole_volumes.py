"""Whole volumes of cases, on which a network is validated and its batch norms are estimated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from smalltumor.labels.masks import Classes
from smalltumor.training.data.training_case import TrainingCase

Predict = Callable[[TrainingCase], Classes]
"""Segments a whole volume: the tissue classes (i, j, k) of a prepared case."""

_MULTIPLE = 16
"""Voxels that the network halves and doubles without a rest."""


def whole_volume(case: TrainingCase, device: torch.device) -> Tensor:
    """A case as a batch of one, padded at the far ends to a multiple of 16.

    Returns
    -------
    (1, channel, i, j, k) float32 tensor
    """
    image = case.intensities()[None]
    padding = [(-size) % _MULTIPLE for size in image.shape[2:]]
    image = nn.functional.pad(image, [0, padding[2], 0, padding[1], 0, padding[0]])
    return image.to(device, memory_format=torch.channels_last_3d)


def whole_volumes(cases: Sequence[TrainingCase], device: torch.device) -> Iterator[Tensor]:
    """Each case as `whole_volume` returns it."""
    for case in cases:
        yield whole_volume(case, device)
