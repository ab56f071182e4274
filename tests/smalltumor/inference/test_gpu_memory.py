"""A case is segmented although the GPU runs out of memory, at whatever operation.

The GPU is simulated on the CPU; each torch operation on it can be made to fail.
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
from smalltumor.data.probabilities.network_output import NetworkOutput
from smalltumor.data.segmentation import Segmentation
from smalltumor.geometry.grid import Grid
from smalltumor.inference import fallback, segment
from smalltumor.inference.backends import torch_backend
from smalltumor.inference.backends.base import Array
from smalltumor.models.checkpoint import Checkpoint, random_checkpoint
from smalltumor.progress import ProgressReporter
from synthetic import NARROWEST
from torch.utils._python_dispatch import TorchDispatchMode

pytestmark = pytest.mark.slow

ALL = "SMALLTUMOR_TRIALS" in os.environ
TIE = 1e-5
"""Difference of two probabilities that rounding may reverse."""

COUNT = 4
"""Operations that fail in turn in each part of the work, unless `SMALLTUMOR_TRIALS` is set."""


class OutOfMemoryAt(TorchDispatchMode):
    """Fails at the operations with numbers from `first` to `last`."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__()
        self.first, self.last, self.count, self.to_load = first, last, 0, 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        self.count += 1
        if self.first <= self.count <= self.last:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return function(*args, **(kwargs or {}))


class Gpu:
    """A backend on the CPU that reports a GPU as its device."""

    backend, device = "torch", "cuda:0 (simulated)"

    def __init__(self, checkpoint: Checkpoint, memory: OutOfMemoryAt | nullcontext[None]) -> None:
        with memory:
            self._backend = torch_backend.TorchBackend(checkpoint, "cpu")
        self._memory = memory
        if isinstance(memory, OutOfMemoryAt):
            memory.to_load = memory.count

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
    return Case("case", volumes, Grid((30, 28, 26), np.diag([-1.0, -1.0, 1.0, 1.0])))


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch, checkpoint: Checkpoint, case: Case) -> Iterator[Any]:
    """A function that segments the case on a simulated GPU with given failures."""
    real = torch_backend.torch_backend
    monkeypatch.setattr(fallback, "_empty_gpu_cache", lambda device: None)
    monkeypatch.setattr(
        "smalltumor.inference.predict.choose_device", lambda name: fallback.DeviceChoice("cuda:0")
    )

    def run(memory: OutOfMemoryAt | nullcontext[None]) -> Segmentation:
        monkeypatch.setattr(
            torch_backend,
            "torch_backend",
            lambda c, d: nullcontext(Gpu(c, memory)) if d == "cuda:0" else real(c, d),
        )
        return segment(case, checkpoint)

    yield run
    torch_backend._backends.clear()


def assert_same_labels(found: Segmentation, whole: Segmentation) -> None:
    """Assert that the labels are equal, but for voxels with two classes as probable as each other.

    There the rounding of a processor decides, which depends on the memory layout and the windows.
    """
    probabilities = whole.probabilities()
    assert probabilities is not None
    second, first = np.sort(probabilities, axis=0)[-2:]
    differ = found.classes != whole.classes
    assert np.all((first - second)[differ] < TIE)
    assert np.count_nonzero(differ) < 1e-3 * differ.size


@pytest.mark.parametrize("part", ["load", "run"])
def test_labels_are_the_same_if_any_operation_fails_once_or_permanently(
    on_gpu: Any, part: str
) -> None:
    whole = on_gpu(nullcontext())
    assert whole.run.device == "cuda:0 (simulated)"
    counter = OutOfMemoryAt(0, 0)
    on_gpu(counter)
    assert 100 < counter.to_load < counter.count - 100
    begin, end = (1, counter.to_load) if part == "load" else (counter.to_load + 1, counter.count)
    failing = range(begin, end + 1) if ALL else np.linspace(begin, end, COUNT).astype(int)
    for first in failing:
        once = on_gpu(OutOfMemoryAt(first, first))
        assert once.run.device == "cuda:0 (simulated)"
        permanently = on_gpu(OutOfMemoryAt(first, 10**9))
        assert permanently.run.device == "cpu"
        for found in (once, permanently):
            assert any("ran out of memory" in warning for warning in found.run.warnings)
            assert_same_labels(found, whole)
    print(f"{2 * len(failing)} failures, all cases segmented")
