"""A day's work in one window: cases that are opened, segmented and closed leave nothing behind.

`SMALLTUMOR_ROUNDS` sets how many rounds are made to see the process grow, such as 100; without it
only a few, to see that no image, layer or result outlives its case.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Callable

import numpy as np
import psutil
import pytest
from napari.layers import Layer
from smalltumor.data.case import Case
from smalltumor.data.segmentation import Segmentation

from napari_smalltumor.open_case import open_case
from napari_smalltumor.segment import dock as segment_dock

WARM_UP = 30
"""Rounds until the caches of napari, Qt and the allocator are full."""

ROUNDS = int(os.environ.get("SMALLTUMOR_ROUNDS", "0"))
GROWTH_PER_ROUND = 50 * 2**20 / 1000
"""A thousand rounds may take 50 MB beyond what napari keeps of layers of any kind: of seven that
were added and removed some 65 kB (0.9.2)."""

UNCERTAINTY = 2 * 2**20
"""How far two measurements of one and the same process lie apart, by pages half in use."""


def memory() -> int:
    """Bytes that the process holds, after what it holds for nothing was given back."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss


@pytest.fixture
def one_round(make_napari_viewer, dock_of, synthetic_case, run, monkeypatch, qtbot):
    monkeypatch.setattr(segment_dock.devices, "find_devices", lambda *args: None)
    viewer = make_napari_viewer()
    dock = dock_of(viewer)

    def open_segment_close() -> None:
        open_case(viewer, synthetic_case)
        assert run(dock)
        assert len(viewer.layers) == 7
        viewer.layers.clear()
        qtbot.wait(20)

    return open_segment_close


def test_nothing_outlives_its_case(one_round):
    before = {id(o) for o in gc.get_objects() if isinstance(o, Case | Layer | Segmentation)}
    for _ in range(3):
        one_round()
    gc.collect()
    left = [o for o in gc.get_objects() if isinstance(o, Case | Layer | Segmentation)]
    assert [type(o).__name__ for o in left if id(o) not in before] == []


@pytest.mark.skipif(ROUNDS == 0, reason="takes minutes")
def test_the_process_does_not_grow(one_round, napari_round):
    ours, napari = growth(one_round), growth(napari_round)
    print(f"{ROUNDS} rounds: {ours / 2**20:+.1f} MB, of which napari {napari / 2**20:+.1f} MB")
    assert ours - napari < GROWTH_PER_ROUND * ROUNDS + UNCERTAINTY


@pytest.fixture
def napari_round(make_napari_viewer, qtbot):
    """As many layers, as large, in napari alone."""
    viewer = make_napari_viewer()
    volume = np.random.default_rng(0).random((20, 22, 18), dtype=np.float32)

    def add_and_clear() -> None:
        for _ in range(4):
            viewer.add_image(volume)
        for _ in range(3):
            viewer.add_labels((volume > 0.7).astype(np.uint8))
        qtbot.wait(20)
        viewer.layers.clear()
        qtbot.wait(20)

    return add_and_clear


def growth(round_of_work: Callable[[], None]) -> int:
    """Bytes that `ROUNDS` rounds take, after others that fill the caches."""
    for _ in range(WARM_UP):
        round_of_work()
    before = memory()
    for _ in range(ROUNDS):
        round_of_work()
    return memory() - before
