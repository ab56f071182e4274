"""Intensities change in the brain only, each modality by itself, whatever the crop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from augmented_crops import augment_one, change_one
from hypothesis import given, settings
from hypothesis import strategies as st
from smalltumor.training.augmentation.settings import INTENSITIES, Augmentation

STILL = Augmentation(
    flip_probability=0,
    rotate90_probability=0,
    affine_probability=0,
    intensity_shift=0,
    intensity_scale=0,
)
TRANSFORMS = [name for name in INTENSITIES["strong"] if not name.endswith("_probability")]
MONOTONE = [
    "histogram_shift",
    "gamma",
    "inverted_gamma",
    "contrast",
    "intensity_scale",
    "intensity_shift",
]


def only(name: str, strength: float | None = None) -> Augmentation:
    """One transform, always, as strong as in the strong augmentation."""
    return Augmentation(
        flip_probability=0,
        affine_probability=0,
        **{
            "intensity_shift": 0,
            "intensity_scale": 0,
            name: strength or INTENSITIES["strong"][name],
        },
    )


def random_crop(seed: int, shape=(9, 12, 7), brain: float = 0.6):
    """Noise in a random part of a crop, with labels in it."""
    rng = np.random.default_rng(seed)
    inside = rng.random(shape) < brain
    image = rng.standard_normal((4, *shape)).astype(np.float32) * inside
    classes = (rng.integers(0, 4, shape) * inside).astype(np.uint8)
    return torch.from_numpy(image), torch.from_numpy(classes)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from([*TRANSFORMS, "strong"]),
    seed=st.integers(0, 10**6),
    shape=st.tuples(*[st.integers(1, 14)] * 3),
    brain=st.sampled_from([0.0, 0.02, 0.5, 1.0]),
)
def test_background_stays_zero_and_the_brain_finite(name, seed, shape, brain):
    image, classes = random_crop(seed, shape, brain)
    chosen = STILL.with_intensities("strong") if name == "strong" else only(name)
    changed, same = augment_one(image, classes, chosen, np.random.default_rng(seed))
    outside = (image == 0).all(dim=0)
    assert not changed[:, outside].any()
    assert changed.isfinite().all()
    assert torch.equal(same, classes)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_labels_are_never_interpolated_to_others(seed):
    image, classes = random_crop(seed, (12, 12, 9))
    classes[classes == 2] = 0
    chosen = Augmentation(rotate90_probability=0.5).with_intensities("strong")
    _, moved = augment_one(image, classes, chosen, np.random.default_rng(seed))
    assert set(moved.unique().tolist()) <= {0, 1, 3}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_that_is_chosen_changes_the_brain(name):
    image, _ = random_crop(1)
    brain = (image != 0).any(dim=0)
    changed = change_one(image[0], brain, only(name), np.random.default_rng(1))
    assert (changed - image[0])[brain].abs().max() > 0.01


@pytest.mark.parametrize("name", MONOTONE)
@pytest.mark.parametrize("seed", range(5))
def test_a_monotone_transform_keeps_the_order_of_intensities(name, seed):
    image, _ = random_crop(seed)
    brain = (image != 0).any(dim=0)
    changed = change_one(image[0], brain, only(name), np.random.default_rng(seed))
    order = image[0][brain].argsort()
    assert (changed[brain][order].diff() >= -1e-4).all()


@pytest.mark.parametrize("name", ["histogram_shift", "gamma", "inverted_gamma", "bias_field"])
def test_what_normalising_would_undo_is_not_changed(name):
    image, _ = random_crop(2, (16, 16, 16))
    brain = (image != 0).any(dim=0)
    before = image[0][brain]
    after = change_one(image[0], brain, only(name), np.random.default_rng(2))[brain]
    assert float(after.mean()) == pytest.approx(float(before.mean()), abs=1e-3)
    assert float(after.std()) == pytest.approx(float(before.std()), rel=1e-3)


def test_modalities_are_changed_independently():
    """Equal modalities differ afterwards, and each is changed in about its share of the crops."""
    image, classes = random_crop(3)
    image[:] = image[0].clone()
    chosen = Augmentation(
        flip_probability=0,
        affine_probability=0,
        intensity_shift=0,
        intensity_scale=0.3,
        intensity_scale_probability=0.25,
    )
    counts = torch.zeros(4)
    patterns = set()
    for seed in range(200):
        changed, _ = augment_one(image, classes, chosen, np.random.default_rng(seed))
        differs = [not torch.equal(modality, image[0]) for modality in changed]
        patterns.add(tuple(differs))
        counts += torch.tensor(differs)
    assert len(patterns) > 10
    np.testing.assert_allclose(counts / 200, 0.25, atol=0.1)


def test_thick_slices_keep_what_is_linear():
    """A ramp is the same in thick slices, except at its ends; a checkerboard is averaged."""
    brain = torch.ones(24, 24, 24, dtype=torch.bool)
    ramp = torch.arange(1.0, 25).expand(24, 24, 24) / 24
    board = ((torch.arange(24) % 2) * 2.0 - 1).expand(24, 24, 24)
    smoothed = []
    for seed in range(20):
        chosen = only("low_resolution", 4)
        rngs = [np.random.default_rng(seed) for _ in range(2)]
        same = change_one(ramp, brain, chosen, rngs[0])
        np.testing.assert_allclose(same[..., 4:-4], ramp[..., 4:-4], atol=0.09)
        smoothed.append(float(change_one(board, brain, chosen, rngs[1]).abs().mean()))
    assert min(smoothed) < 0.3
    assert max(smoothed) == pytest.approx(1, abs=1e-5)  # along another axis


def test_blur_keeps_a_constant_and_spreads_a_point():
    brain = torch.ones(15, 15, 15, dtype=torch.bool)
    constant = torch.full((15, 15, 15), 2.0)
    rng = np.random.default_rng(0)
    blurred = change_one(constant, brain, only("blur"), rng)
    np.testing.assert_allclose(blurred, 2, rtol=1e-5)
    point = torch.zeros(15, 15, 15)
    point[7, 7, 7] = 1
    blurred = change_one(point, brain, only("blur"), rng)
    assert float(blurred.sum()) == pytest.approx(1, abs=1e-3)
    assert 0.05 < float(blurred[7, 7, 7]) < 0.6
    np.testing.assert_allclose(blurred, blurred.flip(0, 1, 2), atol=1e-6)


def test_a_bias_field_is_smooth_and_positive():
    brain = torch.ones(32, 32, 32, dtype=torch.bool)
    flat = torch.ones(32, 32, 32)
    flat[0, 0, 0] = 0  # what lies above the darkest voxel is multiplied
    changed = change_one(flat, brain, only("bias_field"), np.random.default_rng(4))
    inside = changed[1:, 1:, 1:]
    spread = float(inside.max() - inside.min())
    assert float(inside.diff(dim=0).abs().max()) < 0.3 * spread
