"""Training batches: a function of seed and step only, prepared ahead by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from smalltumor.training.augmentation.augment import augment
from smalltumor.training.config import TrainingConfig
from smalltumor.training.data.crops import draw_crop
from smalltumor.training.data.prepared_case import PreparedCase


@dataclass
class Batch:
    """The crops of one step, or this process's share of them.

    Parameters
    ----------
    step : int
    image : (b, channel, crop, crop, crop) float32 tensor
    classes : (b, crop, crop, crop) uint8 tensor
    names : list of str
        Case of each crop.
    """

    step: int
    image: Tensor
    classes: Tensor
    names: list[str]


def steps_per_epoch(config: TrainingConfig, cases: int) -> int:
    """Steps that draw `crops_per_case` crops of every case, without a last incomplete batch."""
    return max(1, cases * config.crops_per_case // config.batch)


def batches(
    cases: Sequence[PreparedCase],
    config: TrainingConfig,
    steps: range,
    share: slice,
    threads: int = 1,
) -> Iterator[Batch]:
    """Batches of a range of steps.

    Parameters
    ----------
    cases : sequence of PreparedCase
    config : TrainingConfig
    steps : range
    share : slice
        The crops of each batch that this process uses.
    threads : int
        Batches prepared at the same time; the result does not depend on it.
    """
    with ThreadPoolExecutor(max(1, threads)) as pool:
        ahead: deque[Future[Batch]] = deque()
        for step in steps:
            ahead.append(pool.submit(_batch, cases, config, step, share))
            if len(ahead) > threads + 1:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _batch(cases: Sequence[PreparedCase], config: TrainingConfig, step: int, share: slice) -> Batch:
    crops = [_crop(cases, config, step, position) for position in range(config.batch)[share]]
    return Batch(
        step,
        torch.stack([image for _, image, _ in crops]),
        torch.stack([classes for _, _, classes in crops]),
        [name for name, _, _ in crops],
    )


def _crop(
    cases: Sequence[PreparedCase], config: TrainingConfig, step: int, position: int
) -> tuple[str, Tensor, Tensor]:
    epoch, within = divmod(step, steps_per_epoch(config, len(cases)))
    order = np.random.default_rng([config.seed, 0, epoch]).permutation(
        len(cases) * max(1, config.crops_per_case)
    )
    case = cases[order[(within * config.batch + position) % len(order)] % len(cases)]
    rng = np.random.default_rng([config.seed, 1, step, position])
    margin = config.augmentation.margin(config.crop)
    image, classes = draw_crop(case, config.crop, config.tumour_crops, rng, margin)
    return case.name, *augment(image, classes, config.augmentation, rng, margin)
