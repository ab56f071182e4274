"""Intensities in 8 bits: background exactly zero, the brain within half a step."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from smalltumor.training.data.quantisation import Quantisation


def random_image(seed: int, brain: float, spread: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (4, 11, 9, 10)
    image = spread * rng.standard_normal(shape) + rng.uniform(-3, 3, (4, 1, 1, 1))
    return (image * (rng.random(shape[1:]) < brain)).astype(np.float32)


def coded(image: np.ndarray) -> tuple[Quantisation, np.ndarray, np.ndarray]:
    quantisation = Quantisation.of(image)
    codes = quantisation.encode(image)
    return quantisation, codes, quantisation.decode(torch.from_numpy(codes)).numpy()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    brain=st.sampled_from([0.0, 0.01, 0.5, 1.0]),
    spread=st.sampled_from([0.0, 1e-3, 1.0, 100.0]),
)
def test_background_is_zero_and_the_brain_within_half_a_step(seed, brain, spread):
    image = random_image(seed, brain, spread)
    quantisation, codes, decoded = coded(image)
    outside = (image == 0).all(axis=0)
    assert not decoded[:, outside].any()
    assert codes[:, ~outside].all()
    for modality, values, lowest, step in zip(
        image, decoded, quantisation.lowest, quantisation.step, strict=True
    ):
        within = np.clip(modality[~outside], lowest, lowest + 254 * step)
        error = np.abs(values[~outside] - within)
        assert (error <= step / 2 + 1e-5 * (1 + np.abs(within))).all()


def test_one_extreme_voxel_does_not_make_all_steps_coarse():
    image = np.random.default_rng(0).standard_normal((1, 30, 30, 30)).astype(np.float32)
    image[0, 0, 0, 0] = 1e6
    quantisation, _, decoded = coded(image)
    assert quantisation.step[0] < 0.05
    assert np.abs(decoded - image).flatten()[1:].mean() < 0.05


def test_order_of_intensities_is_kept():
    image = np.sort(random_image(1, 1.0).reshape(4, -1), axis=1).reshape(4, 11, 9, 10)
    _, codes, _ = coded(image)
    assert (np.diff(codes.reshape(4, -1).astype(int), axis=1) >= 0).all()
