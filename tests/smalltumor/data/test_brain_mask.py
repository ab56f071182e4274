"""Images are reduced to a background of 0 and a positive brain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from intensity_transforms import (
    half_size,
    resampled_by_splines,
    with_noise_outside,
    z_scored,
    z_scored_in_brain,
)
from smalltumor.data.brain_mask import coarse_steps, remove_background
from smalltumor.data.case import Case, read_case, read_case_files
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.data.naming.find_cases import find_cases

SPACING = (1.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def head(sample_folder: Path) -> Case:
    return half_size(read_case(sample_folder))


@pytest.fixture(scope="module")
def images(head: Case) -> list[npt.NDArray[np.generic]]:
    return [head.volumes[m] for m in MODALITIES]


@pytest.fixture(scope="module")
def brain(images) -> npt.NDArray[np.bool_]:
    return np.logical_or.reduce([image > 0 for image in images])


def mask_of(images) -> npt.NDArray[np.bool_]:
    return np.logical_or.reduce([image > 0 for image in remove_background(images, SPACING)])


@pytest.mark.slow
def test_images_of_brats_are_returned_as_they_are(shared: Path) -> None:
    for files in find_cases(shared / "data" / "brats2021"):
        volumes = read_case_files(files).volumes
        images = [volumes[modality] for modality in MODALITIES]
        removed = remove_background(images, SPACING)
        assert all(map(np.may_share_memory, removed, images)), files.name


@pytest.mark.parametrize("offset", [100, -500])
def test_an_offset_is_removed_exactly(images, offset: int) -> None:
    shifted = remove_background([image + np.int16(offset) for image in images], SPACING)
    for got, expected in zip(shifted, images, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("normalise", [z_scored, z_scored_in_brain])
def test_the_brain_of_a_z_scored_case_is_found_exactly(images, brain, normalise) -> None:
    normalised = [normalise(image) for image in images]
    np.testing.assert_array_equal(mask_of(normalised), brain)
    for got, expected in zip(remove_background(normalised, SPACING), images, strict=True):
        inside = expected > 0
        np.testing.assert_array_equal(got > 0, inside)
        slope, base = np.polyfit(expected[inside], got[inside], 1)
        np.testing.assert_allclose(got[inside], slope * expected[inside] + base, atol=1e-4)


@pytest.mark.parametrize("normalise", [lambda v: v, z_scored_in_brain], ids=["", "z-score"])
def test_noise_is_not_brain(images, brain, normalise) -> None:
    found = mask_of([with_noise_outside(normalise(image)) for image in images])
    assert not (found & ~brain).any()
    assert np.count_nonzero(brain & ~found) < 0.0005 * np.count_nonzero(brain)


@pytest.fixture(scope="module")
def ringing(images) -> list[npt.NDArray[np.generic]]:
    return [resampled_by_splines(image) for image in images]


@pytest.mark.parametrize(
    "store",
    [lambda v: v, lambda v: np.round(v).astype(np.int16), lambda v: np.maximum(np.round(v), 0)],
    ids=["as float", "rounded", "clipped at 0"],
)
def test_ringing_is_not_brain(ringing, brain, store) -> None:
    found = mask_of([store(image) for image in ringing])
    assert np.count_nonzero(found & ~brain) < 0.005 * np.count_nonzero(brain)
    assert np.count_nonzero(brain & ~found) < 0.001 * np.count_nonzero(brain)


@pytest.mark.parametrize("change", [z_scored_in_brain, with_noise_outside, resampled_by_splines])
@pytest.mark.parametrize("left", [("t1ce", "t1", "t2"), ("flair", "t1ce"), ("t1ce",)])
def test_the_brain_is_found_in_fewer_images(head, left: tuple[str, ...], change) -> None:
    images = [head.volumes[m] for m in left]
    brain = np.logical_or.reduce([image > 0 for image in images])
    found = mask_of([change(image) for image in images])
    assert np.count_nonzero(found & ~brain) < 0.005 * np.count_nonzero(brain)
    assert np.count_nonzero(brain & ~found) < 0.005 * np.count_nonzero(brain)


def test_an_island_of_one_image_is_removed_if_it_is_large(images, brain) -> None:
    with_island = [image.copy() for image in images]
    with_island[0][2:30, 2:10, 60:76] = 500
    assert not (mask_of(with_island) & ~brain).any()


def test_coarse_voxels_are_4_mm_apart_but_not_fewer_than_32_along_an_axis() -> None:
    steps = coarse_steps((240, 400, 40), (1.0, 0.5, 3.0))
    assert [step.step for step in steps] == [4, 8, 1]
    assert [step.step for step in coarse_steps((70, 20, 240), SPACING)] == [2, 1, 4]


@pytest.mark.parametrize("axis", [0, 2])
def test_a_part_of_the_brain_behind_missing_slices_is_kept(images, brain, axis: int) -> None:
    middle = int(np.median(np.flatnonzero(brain.any(axis=tuple({0, 1, 2} - {axis})))))
    gap = tuple(slice(middle, middle + 5) if a == axis else slice(None) for a in range(3))
    cut = [image.copy() for image in images]
    for image in cut:
        image[gap] = 0
    assert all(map(np.may_share_memory, remove_background(cut, SPACING), cut))
    offset = [image + np.int16(50) for image in cut]
    np.testing.assert_array_equal(mask_of(offset), np.logical_or.reduce([x > 0 for x in cut]))


@pytest.mark.parametrize("percentile", [5, 8, 10, 20])
def test_a_brain_with_a_few_values_below_the_background_is_unchanged(
    images, brain, percentile: float
) -> None:
    low = [np.percentile(image[image > 0], percentile) + 0.5 for image in images]
    shifted = [np.where(i > 0, i - level, 0.0) for i, level in zip(images, low, strict=True)]
    np.testing.assert_array_equal(mask_of(shifted), brain)
    for got, expected in zip(remove_background(shifted, SPACING), images, strict=True):
        inside = expected > expected[expected > 0].min()
        np.testing.assert_allclose(np.ptp(got[inside] - expected[inside]), 0, atol=1e-2)
