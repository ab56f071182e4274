"""Sliding-window inference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.data.probabilities.network_output import Probabilities
from smalltumor.inference.backends.base import Array, InferenceBackend
from smalltumor.inference.sliding_window import OVERLAP, SlidingWindow, window_starts
from smalltumor.inference.test_time_augmentation import average_over_mirrored
from smalltumor.progress import ProgressReporter

EDGES = st.integers(1, 6).map(lambda n: 16 * n)


class VoxelByVoxel:
    """A backend whose result at a voxel depends only on that voxel."""

    backend, device = "none", "cpu"

    def __call__(self, array: Array, progress: ProgressReporter) -> Probabilities:
        powers = np.exp(array)
        return Probabilities(powers / powers.sum(axis=0))


class PositionDependent:
    """A backend whose result at a voxel depends on its position in the window."""

    backend, device = "none", "cpu"

    def __call__(self, array: Array, progress: ProgressReporter) -> Probabilities:
        place = np.indices(array.shape[1:], dtype=np.float32).sum(axis=0) / sum(array.shape[1:])
        return Probabilities(array * place + place)


@pytest.mark.slow
@given(st.tuples(EDGES, EDGES, EDGES), st.sampled_from([32, 64]))
def test_results_equal_those_of_monai(shape: tuple[int, int, int], size: int) -> None:
    from monai.inferers import sliding_window_inference

    array = np.random.default_rng(0).standard_normal((4, *shape), dtype=np.float32)
    backend: InferenceBackend = PositionDependent()

    def predict(window: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(backend(window[0].numpy(), ProgressReporter()).probabilities())[
            None
        ]

    expected = sliding_window_inference(
        torch.from_numpy(array)[None],
        roi_size=[min(size, n) for n in shape],
        sw_batch_size=1,
        predictor=predict,
        overlap=OVERLAP,
        mode="gaussian",
    )
    blended = SlidingWindow(backend, size)(array, ProgressReporter())
    np.testing.assert_allclose(blended.values, expected[0].numpy(), atol=1e-5)


@pytest.mark.parametrize("shape", [(64, 48, 80), (32, 32, 96), (16, 64, 48)])
def test_every_voxel_keeps_its_position(shape: tuple[int, int, int]) -> None:
    array = np.random.default_rng(0).standard_normal((4, *shape), dtype=np.float32)
    blended = SlidingWindow(VoxelByVoxel(), 32)(array, ProgressReporter())
    expected = VoxelByVoxel()(array, ProgressReporter())
    np.testing.assert_allclose(blended.values, expected.values, atol=1e-6)


def test_windows_of_mirrored_volumes_give_the_mean_over_them() -> None:
    array = np.random.default_rng(0).standard_normal((4, 48, 32, 64), dtype=np.float32)
    averaged = average_over_mirrored(SlidingWindow(VoxelByVoxel(), 32), array, ProgressReporter())
    expected = VoxelByVoxel()(array, ProgressReporter())
    np.testing.assert_allclose(averaged.values, expected.values, atol=1e-6)


@given(st.integers(1, 300), st.integers(1, 128))
def test_windows_cover_an_axis_and_stay_inside_it(length: int, window: int) -> None:
    window = min(window, length)
    starts = window_starts(length, window)
    covered = np.zeros(length, bool)
    for start in starts:
        assert 0 <= start <= length - window
        covered[start : start + window] = True
    assert covered.all()
    assert starts == sorted(set(starts))
