"""A GPU that runs out of memory, at any operation whatever, costs time and not the case.

The GPU is a processor that is called one: every torch operation on it can be made to fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from smalltumor.data.case import Case
from smalltumor.data.network_output import NetworkOutput
from smalltumor.data.segmentation import Segmentation
from smalltumor.geometry.grid import Grid
from smalltumor.inference import fallback, segment
from smalltumor.inference.backends import torch_backend
from smalltumor.inference.backends.base import Array
from smalltumor.inference.progress import ProgressReporter
from smalltumor.models.checkpoint import Checkpoint, random_checkpoint
from synthetic import NARROWEST
from torch.utils._python_dispatch import TorchDispatchMode

EVERY = 1 if "SMALLTUMOR_TRIALS" in os.environ else 293
"""Of the operations, which ones fail in turn: all of them when there is time."""


class FullAt(TorchDispatchMode):
    """Fails at operation number `first`, and at `last` and all between."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__()
        self.first, self.last, self.count = first, last, 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        self.count += 1
        if self.first <= self.count <= self.last:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return function(*args, **(kwargs or {}))


class Gpu:
    """A backend on the processor that says it is on a GPU."""

    backend, device = "torch", "cuda:0 (made)"

    def __init__(self, checkpoint: Checkpoint, memory: FullAt | nullcontext[None]) -> None:
        with memory:
            self._backend = torch_backend.TorchBackend(checkpoint, "cpu")
        self._memory = memory

    def __call__(self, array: Array, progress: ProgressReporter) -> NetworkOutput:
        with self._memory:
            return self._backend(array, progress)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(3, NARROWEST)


@pytest.fixture(scope="module")
def case() -> Case:
    rng = np.random.default_rng(1)
    volumes = {}
    for modality in ("flair", "t1ce", "t1", "t2"):
        volume = np.zeros((30, 28, 26), np.int16)
        volume[2:-2, 2:-2, 2:-2] = rng.integers(1, 900, (26, 24, 22))
        volumes[modality] = volume
    return Case("made", volumes, Grid((30, 28, 26), np.diag([-1.0, -1.0, 1.0, 1.0])))


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch, checkpoint: Checkpoint, case: Case) -> Iterator[Any]:
    """Segment the case on a GPU whose memory is as given."""
    real = torch_backend.torch_backend
    monkeypatch.setattr(fallback, "_empty_gpu_cache", lambda device: None)
    monkeypatch.setattr(
        "smalltumor.inference.predict.choose_device", lambda name: fallback.DeviceChoice("cuda:0")
    )

    def run(memory: FullAt | nullcontext[None]) -> Segmentation:
        monkeypatch.setattr(
            torch_backend,
            "torch_backend",
            lambda c, d: nullcontext(Gpu(c, memory)) if d == "cuda:0" else real(c, d),
        )
        return segment(case, checkpoint)

    yield run
    torch_backend._backends.clear()


def test_at_every_operation_once_and_for_good(on_gpu: Any) -> None:
    whole = on_gpu(nullcontext())
    assert whole.run.device == "cuda:0 (made)"
    counter = FullAt(0, 0)
    on_gpu(counter)
    assert counter.count > 100
    for first in range(1, counter.count + 1, EVERY):
        once = on_gpu(FullAt(first, first))
        assert once.run.device == "cuda:0 (made)"
        for_good = on_gpu(FullAt(first, 10**9))
        assert for_good.run.device == "cpu"
        for found in (once, for_good):
            assert any("ran out of memory" in warning for warning in found.run.warnings)
            np.testing.assert_array_equal(found.classes, whole.classes)
    print(f"{2 * len(range(1, counter.count + 1, EVERY))} times out of memory, no case lost")
