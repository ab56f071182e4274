"""Voxels about 4 mm apart, and where they are counted from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from smalltumor.data.brain.coarse_images import coarse_images, coarse_steps
from smalltumor.data.read_case import read_case

SPACING = (1.0, 1.0, 1.0)


def brain(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(100, 200, shape)


def test_coarse_voxels_are_4_mm_apart_but_not_fewer_than_32_along_an_axis() -> None:
    box = (slice(10, 250), slice(0, 400), slice(3, 43))
    steps = coarse_steps(box, (1.0, 0.5, 3.0))
    assert steps == (slice(10, 250, 4), slice(0, 400, 8), slice(3, 43, 1))
    whole = (slice(0, 70), slice(0, 20), slice(0, 240))
    assert [step.step for step in coarse_steps(whole, SPACING)] == [2, 1, 4]


def test_they_are_counted_from_what_all_images_show_together() -> None:
    one, other = np.zeros((80, 90, 70), np.int16), np.full((80, 90, 70), 7, np.int16)
    one[10:60, 20:70, 5:50] = brain(50, 50, 45)
    other[5:50, 30:75, 10:60] = brain(45, 45, 50)
    found = coarse_images({"t1": one, "t1ce": other}, SPACING)
    assert [(step.start, step.stop) for step in found.steps] == [(5, 60), (20, 75), (5, 60)]
    assert found.backgrounds["t1"].levels == (0,)
    assert found.backgrounds["t1ce"].levels == (7,)


def test_a_constant_image_does_not_move_them() -> None:
    image = np.zeros((80, 90, 70), np.int16)
    image[10:60, 20:70, 5:50] = brain(50, 50, 45)
    found = coarse_images({"t1": image, "t1ce": np.full_like(image, 3)}, SPACING)
    assert found.steps == coarse_images({"t1": image}, SPACING).steps
    assert not found.brain_masks["t1ce"].any()


def test_images_that_are_all_constant_are_taken_whole() -> None:
    found = coarse_images({"t1": np.zeros((80, 90, 70), np.int16)}, SPACING)
    assert [(step.start, step.stop) for step in found.steps] == [(0, 80), (0, 90), (0, 70)]


def test_a_case_computes_them_once_for_its_volumes(sample_folder: Path) -> None:
    case = read_case(sample_folder)
    assert case.coarse is case.coarse
    case.volumes = {m: np.rot90(volume) for m, volume in case.volumes.items()}
    expected = coarse_images(case.volumes, case.grid.spacing)
    assert case.coarse.steps == expected.steps
    np.testing.assert_array_equal(case.coarse.images["t1"], expected.images["t1"])
