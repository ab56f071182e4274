"""A day's work in one window: cases that are opened, segmented and closed leave nothing behind.

`SMALLTUMOR_ROUNDS` sets how many rounds are made to see the process grow, such as 100; without it
only a few, to see that no image, layer or result outlives its case.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys

import psutil
import pytest
from napari.layers import Layer
from smalltumor.case import Case
from smalltumor.segmentation import Segmentation

from napari_smalltumor import segment_dock
from napari_smalltumor.open_case import open_case

WARM_UP = 30
"""Rounds until the caches of napari, Qt and the allocator are full: measured over 60 rounds, 684 MB
after one, 691 after 11, 694 after 21, then 696, 697 and 696 after 31, 41 and 51."""

ROUNDS = int(os.environ.get("SMALLTUMOR_ROUNDS", "0"))
GROWTH_PER_ROUND = 50 * 2**20 / 1000
"""A thousand rounds may take 50 MB."""

UNCERTAINTY = 2 * 2**20
"""How far two measurements of one and the same process lie apart, by pages half in use."""


def memory() -> int:
    """Bytes that the process holds, after what it holds for nothing was given back."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss


@pytest.fixture
def one_round(make_napari_viewer, dock_of, made_case, run, monkeypatch, qtbot):
    monkeypatch.setattr(segment_dock.devices, "find_devices", lambda found: None)
    viewer = make_napari_viewer()
    dock = dock_of(viewer)

    def open_segment_close() -> None:
        open_case(viewer, made_case)
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
def test_the_process_does_not_grow(one_round):
    held = []
    for _ in range(WARM_UP + ROUNDS):
        one_round()
        held.append(memory())
    growth = held[-1] - held[WARM_UP - 1]
    print(
        f"{ROUNDS} rounds, {growth / 2**20:+.1f} MB; every tenth: {[m >> 20 for m in held[::10]]}"
    )
    assert growth < GROWTH_PER_ROUND * ROUNDS + UNCERTAINTY
