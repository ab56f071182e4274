"""Training batches: a function of seed and step only, prepared ahead by threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from smalltumor.training.augmentation.augment import CropChanges, augment
from smalltumor.training.augmentation.modality_dropout import drop_modalities
from smalltumor.training.config import TrainingConfig, steps_per_epoch
from smalltumor.training.data.crops import sample_crop
from smalltumor.training.data.training_case import TrainingCase

CPU = torch.device("cpu")


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


def batches(
    cases: Sequence[TrainingCase],
    config: TrainingConfig,
    steps: Iterable[int],
    share: slice,
    threads: int = 1,
    device: torch.device = CPU,
) -> Iterator[Batch]:
    """Batches of some steps.

    Parameters
    ----------
    cases : sequence of TrainingCase
    config : TrainingConfig
    steps : iterable of int
    share : slice
        The crops of each batch that this process uses.
    threads : int
        Batches prepared at the same time; the result does not depend on it.
    device : torch.device
        On which the crops are augmented.
    """
    with ThreadPoolExecutor(max(1, threads)) as pool:
        ahead: deque[Future[Batch]] = deque()
        for step in steps:
            ahead.append(pool.submit(_batch, cases, config, step, share, device))
            if len(ahead) > threads + 1:
                yield _handed_over(ahead.popleft().result())
        while ahead:
            yield _handed_over(ahead.popleft().result())


def _batch(
    cases: Sequence[TrainingCase],
    config: TrainingConfig,
    step: int,
    share: slice,
    device: torch.device,
) -> Batch:
    with _own_stream(device):
        crops = [_crop(cases, config, step, n, device) for n in range(config.batch_size)[share]]
        image, classes = augment(
            [(crop.image, crop.classes) for crop in crops], [crop.changes for crop in crops]
        )
        if config.modality_dropout:
            channels = config.preprocessing.channels
            for n, crop in enumerate(crops):
                image[n] = drop_modalities(image[n], channels, config.modality_dropout, crop.rng)
        return Batch(step, image, classes, [crop.name for crop in crops])


@contextmanager
def _own_stream(device: torch.device) -> Iterator[None]:
    """Within the block, a thread's work on a GPU has a stream of its own, and ends with the block.

    A thread keeps its stream: the caching allocator never gives memory that was freed in one stream
    to another, so that a new stream for each batch would fill the GPU with unused memory.
    """
    if device.type != "cuda":
        yield
        return
    stream = _streams.of(device)
    with torch.cuda.stream(stream):
        yield
    stream.synchronize()


class _ThreadStreams(threading.local):
    """The streams of this thread, one for each GPU."""

    def __init__(self) -> None:
        self._by_device: dict[torch.device, torch.cuda.Stream] = {}

    def of(self, device: torch.device) -> torch.cuda.Stream:
        if device not in self._by_device:
            self._by_device[device] = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        return self._by_device[device]


_streams = _ThreadStreams()


def _handed_over(batch: Batch) -> Batch:
    """The batch, whose memory is not reused before the network has used it."""
    for tensor in (batch.image, batch.classes):
        if tensor.is_cuda:
            tensor.record_stream(torch.cuda.current_stream(tensor.device))
    return batch


@dataclass
class _Crop:
    """A crop, what is to be done to it, and the generator of what else is drawn for it."""

    name: str
    image: Tensor
    classes: Tensor
    changes: CropChanges
    rng: np.random.Generator


def _crop(
    cases: Sequence[TrainingCase],
    config: TrainingConfig,
    step: int,
    position: int,
    device: torch.device,
) -> _Crop:
    epoch, within = divmod(step, steps_per_epoch(config, len(cases)))
    order = np.random.default_rng([config.seed, 0, epoch]).permutation(
        len(cases) * max(1, config.crops_per_case)
    )
    case = cases[order[(within * config.batch_size + position) % len(order)] % len(cases)]
    rng = np.random.default_rng([config.seed, 1, step, position])
    changes = CropChanges.sample(config.augmentation, config.crop, len(case.image), rng)
    image, classes = sample_crop(
        case, config.crop, config.foreground_probability, rng, changes.margin
    )
    return _Crop(
        name=case.name, image=image.to(device), classes=classes.to(device), changes=changes, rng=rng
    )
