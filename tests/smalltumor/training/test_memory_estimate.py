"""Crop and batch that fit."""

from __future__ import annotations

import pytest
from smalltumor.training.memory_estimate import needed_bytes, suggest

GB = 10**9


@pytest.mark.parametrize("gpu", [True, False])
def test_what_is_suggested_fits_and_more_memory_never_gets_less(gpu):
    voxels = []
    for free in range(2 * GB, 100 * GB, GB):
        crop, batch = suggest(free, gpu=gpu)
        assert needed_bytes(crop, batch) < free
        voxels.append(batch * crop**3)
    assert voxels == sorted(voxels)


def test_a_processor_gets_no_more_than_it_can_do_and_a_large_gpu_the_papers_recipe():
    assert suggest(64 * GB, gpu=False) == (64, 2)
    assert suggest(80 * GB, gpu=True) == (128, 8)


def test_with_hardly_any_memory_the_smallest_is_tried():
    assert suggest(0, gpu=True) == (32, 1)
