"""Fixtures of the tests of the Segment dock."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import smalltumor.inference
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import Cancelled


class SlowNetwork:
    """A network that runs until `go` is set or it is cancelled, and finds one voxel."""

    def __init__(self) -> None:
        self.started, self.go, self.ended = (threading.Event() for _ in range(3))

    def __call__(self, case, checkpoint=None, *, progress, cancelled, **options):
        self.started.set()
        progress(0.5, "halfway")
        try:
            while not self.go.wait(0.01):
                if cancelled():
                    raise Cancelled("cancelled")
        finally:
            self.ended.set()
        classes = np.zeros(case.grid.shape, np.uint8)
        classes[10, 11, 9] = 3
        return Segmentation(case.name, classes, case.grid, case.header)


@pytest.fixture
def slow(monkeypatch):
    network = SlowNetwork()
    monkeypatch.setattr(smalltumor.inference, "segment", network)
    yield network
    network.go.set()
