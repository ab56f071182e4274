"""Augmented crops stay what they were: labels on their tissue, background exactly zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from augmented_crops import augment_one
from smalltumor.training.augmentation.augment import CropChanges, augment
from smalltumor.training.augmentation.settings import Augmentation

NONE = Augmentation(
    flip_probability=0,
    rotate90_probability=0,
    affine_probability=0,
    intensity_shift=0,
    intensity_scale=0,
    gamma=0,
    noise=0,
)
ALL = Augmentation(rotate90_probability=0.5).with_intensities("strong")


@pytest.fixture
def crop():
    """A brain whose first modality equals the class where there is one."""
    rng = np.random.default_rng(5)
    image = rng.standard_normal((4, 24, 24, 24)).astype(np.float32)
    classes = np.zeros((24, 24, 24), np.uint8)
    classes[6:14, 8:18, 5:12] = 2
    classes[8:12, 10:15, 7:11] = 3
    image[0] = classes * 10 + 5
    image[:, :3] = 0
    return torch.from_numpy(image), torch.from_numpy(classes)


def test_nothing_asked_nothing_changed(crop):
    image, classes = augment_one(*crop, NONE, np.random.default_rng(0))
    np.testing.assert_array_equal(image, crop[0])
    np.testing.assert_array_equal(classes, crop[1])


def test_the_source_is_not_touched(crop):
    image, classes = crop[0].clone(), crop[1].clone()
    augment_one(image, classes, ALL, np.random.default_rng(0))
    np.testing.assert_array_equal(image, crop[0])
    np.testing.assert_array_equal(classes, crop[1])


def test_the_same_generator_gives_the_same_crop(crop):
    first, second = (augment_one(*crop, ALL, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("seed", range(8))
def test_bit_flips_and_turns_move_labels_with_their_voxels(crop, seed):
    settings = replace(NONE, flip_probability=0.5, rotate90_probability=0.5)
    image, classes = augment_one(*crop, settings, np.random.default_rng(seed))
    tumour = classes > 0
    np.testing.assert_array_equal(image[0][tumour], classes[tumour] * 10 + 5)
    assert classes.flatten().bincount().tolist() == crop[1].flatten().bincount().tolist()


def test_bit_flips_and_turns_make_sixteen_poses(crop):
    settings = replace(NONE, flip_probability=0.5, rotate90_probability=0.5)
    rng = np.random.default_rng(0)
    poses = {augment_one(*crop, settings, rng)[1].numpy().tobytes() for _ in range(300)}
    assert len(poses) == 16


@pytest.mark.parametrize("field", ["intensity_shift", "intensity_scale", "gamma", "noise"])
def test_intensities_change_in_the_brain_only(crop, field):
    image, classes = augment_one(*crop, replace(NONE, **{field: 0.3}), np.random.default_rng(1))
    background = crop[0] == 0
    assert not image[background].any()
    assert (image[~background] != crop[0][~background]).float().mean() > 0.9
    np.testing.assert_array_equal(classes, crop[1])


def test_intensity_order_survives_shift_scale_and_gamma(crop):
    settings = replace(NONE, intensity_shift=0.3, intensity_scale=0.3, gamma=0.5)
    image, _ = augment_one(*crop, settings, np.random.default_rng(2))
    inside = crop[0][1] != 0
    order = crop[0][1][inside].argsort()
    assert (image[1][inside][order].diff() >= -1e-5).all()


def test_an_affine_transform_without_rotation_and_zoom_changes_nothing(crop):
    settings = replace(NONE, affine_probability=1.0, rotate=0.0, zoom=0.0)
    image, classes = augment_one(*crop, settings, np.random.default_rng(3))
    np.testing.assert_allclose(image, crop[0], atol=1e-4)
    np.testing.assert_array_equal(classes, crop[1])


def test_an_affine_transform_keeps_labels_on_their_tissue(crop):
    settings = replace(NONE, affine_probability=1.0, rotate=10.0, zoom=0.1)
    image, classes = augment_one(*crop, settings, np.random.default_rng(4))
    assert (classes != crop[1]).any()
    assert float(image[0][classes == 3].median()) == pytest.approx(35, abs=1)
    assert set(classes.unique().tolist()) <= {0, 2, 3}


def test_rotation_keeps_volume_in_a_crop_of_unequal_axes():

    image = torch.zeros((1, 16, 32, 16))
    image[0, 4:12, 14:18, 4:12] = 1
    classes = image[0].to(torch.uint8)
    settings = replace(NONE, affine_probability=1.0, rotate=20.0, zoom=0.0)
    _, turned = augment_one(image, classes, settings, np.random.default_rng(6))
    assert int(turned.sum()) == pytest.approx(int(classes.sum()), rel=0.05)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_what_a_crop_reaches_into_is_cut_off_again(crop, probability):
    settings = replace(NONE, affine_probability=probability, rotate=0, zoom=0)
    image, classes = augment_one(*crop, settings, np.random.default_rng(0), margin=4)
    np.testing.assert_allclose(image, crop[0][:, 4:-4, 4:-4, 4:-4], atol=1e-4)
    np.testing.assert_array_equal(classes, crop[1][4:-4, 4:-4, 4:-4])


def test_with_its_reach_a_turned_crop_has_brain_in_its_corners():
    settings = replace(NONE, affine_probability=1, rotate=15, zoom=0)
    margin = settings.margin(40)
    full = torch.ones((1, *[40 + 2 * margin] * 3))
    classes = full[0].to(torch.uint8)
    share = {}
    for there in (margin, 0):
        inner = (slice(margin - there, full.shape[1] - margin + there),) * 3
        warped, _ = augment_one(
            full[:, *inner], classes[inner], settings, np.random.default_rng(3), there
        )
        assert warped.shape == (1, 40, 40, 40)
        share[there] = (warped > 0).float().mean()
    assert share[0] < 0.95
    assert share[margin] > 0.999


def test_zooming_with_reach_keeps_the_scale_it_has_without(crop):
    """A crop that was given more to look at is not shrunk into it."""
    settings = replace(NONE, affine_probability=1, rotate=0, zoom=0.1)
    wide, _ = augment_one(*crop, settings, np.random.default_rng(2), margin=4)
    narrow, _ = augment_one(
        crop[0][:, 4:-4, 4:-4, 4:-4],
        crop[1][4:-4, 4:-4, 4:-4],
        settings,
        np.random.default_rng(2),
    )
    inner = (slice(None), *(slice(3, -3),) * 3)
    np.testing.assert_allclose(wide[inner], narrow[inner], atol=1e-3)


def test_a_crop_depends_neither_on_its_batch_nor_on_its_place_in_it(crop):
    crops = [crop, (crop[0].flip(1) * 2, crop[1].flip(0)), (-crop[0], crop[1])]
    changes = [CropChanges.sample(ALL, 24, 4, np.random.default_rng(seed)) for seed in range(3)]
    changes = [replace(change, margin=2) for change in changes]
    images, classes = augment(crops, changes)
    assert images.shape == (3, 4, 20, 20, 20)
    for n in range(3):
        image, labels = augment(crops[n : n + 1], changes[n : n + 1])
        np.testing.assert_allclose(images[n], image[0], rtol=1e-4, atol=1e-5)
        assert torch.equal(classes[n], labels[0])


def test_only_a_rotated_or_zoomed_crop_needs_a_margin():
    rng = np.random.default_rng(0)
    settings = Augmentation(affine_probability=0.4, zoom=0.1)
    drawn = [CropChanges.sample(settings, 40, 4, rng) for _ in range(200)]
    assert {change.margin for change in drawn} == {0, settings.margin(40)}
    assert all((change.transform.matrix is None) == (change.margin == 0) for change in drawn)
