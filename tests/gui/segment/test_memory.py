"""Closing a case releases its memory, however many cases are opened and segmented in one window.

`SMALLTUMOR_ROUNDS`, for example 100, is the number of rounds in the test of process growth. Without
it, only the test that no image, layer or result outlives its case runs, with a few rounds.
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

from napari_smalltumor import questions
from napari_smalltumor.closing.close_patient import close_patient
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.segment import dock as segment_dock

WARM_UP = 30
"""Rounds until the caches of napari, Qt and the allocator are full."""

ROUNDS = int(os.environ.get("SMALLTUMOR_ROUNDS", "0"))
GROWTH_PER_ROUND = 50 * 2**20 / 1000
"""Bytes: 50 MB per thousand rounds, in addition to what napari itself retains (version 0.9.2: about
65 kB for seven layers that were added and removed)."""

UNCERTAINTY = 2 * 2**20
"""Bytes by which two measurements of the same process can differ, due to partly used pages."""


def resident_memory() -> int:
    """Resident memory of the process in bytes, after unused memory was released."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss


@pytest.fixture
def one_round(make_napari_viewer, dock_of, synthetic_case, run, monkeypatch, qtbot):
    monkeypatch.setattr(segment_dock.devices, "find_devices", lambda *args: None)
    monkeypatch.setattr(questions, "ask", lambda *args, **_: "Close without saving")
    viewer = make_napari_viewer()
    dock = dock_of(viewer)

    def open_segment_close(*, by_hand: bool = True) -> None:
        open_case(viewer, synthetic_case)
        assert run(dock)
        assert len(viewer.layers) == 7
        if by_hand:
            viewer.layers.clear()
        else:
            assert close_patient(viewer, active_patient(viewer).current)
        qtbot.wait(20)

    return open_segment_close


def cases_and_layers() -> list[object]:
    """Those in memory; by their type, since isinstance asks some objects of torch, which warn."""
    kinds = (Case, Layer, Segmentation)
    return [o for o in gc.get_objects() if issubclass(type(o), kinds)]


@pytest.mark.slow
def test_nothing_outlives_its_case(one_round, qtbot):
    before = set(map(id, cases_and_layers()))
    one_round()
    one_round()
    one_round(by_hand=False)  # what was closed by hand last could be opened again until now

    def remaining() -> list[str]:
        gc.collect()
        return [type(o).__name__ for o in cases_and_layers() if id(o) not in before]

    for _ in range(120):  # timers that are still to fire keep what they are about
        qtbot.wait(500)
        if not remaining():
            break
    assert remaining() == []


@pytest.mark.skipif(ROUNDS == 0, reason="takes minutes")
def test_the_process_does_not_grow(one_round, napari_round):
    plugin, napari = growth(one_round), growth(napari_round)
    print(f"{ROUNDS} rounds: {plugin / 2**20:+.1f} MB, of which napari {napari / 2**20:+.1f} MB")
    assert plugin - napari < GROWTH_PER_ROUND * ROUNDS + UNCERTAINTY


@pytest.fixture
def napari_round(make_napari_viewer, qtbot):
    """A round with the same number and size of layers in napari alone."""
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
    """Growth of the process in bytes over `ROUNDS` rounds, after the warm-up rounds."""
    for _ in range(WARM_UP):
        round_of_work()
    before = resident_memory()
    for _ in range(ROUNDS):
        round_of_work()
    return resident_memory() - before
