"""Suggested crop and batch size fit the memory."""

from __future__ import annotations

import pytest
from smalltumor.training.memory_estimate import needed_bytes, suggest

GB = 10**9


@pytest.mark.parametrize("gpu", [True, False])
def test_the_suggestion_fits_and_grows_with_memory(gpu):
    voxels = []
    for free in range(2 * GB, 100 * GB, GB):
        crop, batch_size = suggest(free, gpu=gpu)
        assert needed_bytes(crop, batch_size) < free
        voxels.append(batch_size * crop**3)
    assert voxels == sorted(voxels)


def test_a_cpu_gets_small_crops_and_a_large_gpu_the_paper_s():
    assert suggest(64 * GB, gpu=False) == (64, 2)
    assert suggest(80 * GB, gpu=True) == (128, 8)


def test_with_hardly_any_memory_the_smallest_step_is_suggested():
    assert suggest(0, gpu=True) == (32, 1)
