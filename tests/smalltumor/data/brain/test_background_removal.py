"""Images are reduced to a background of 0 and a positive brain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intensity_transforms import (
    half_size,
    resampled_by_splines,
    with_noise_outside,
    z_scored,
    z_scored_in_brain,
)
from scipy import ndimage
from smalltumor.data.brain.background_removal import remove_background
from smalltumor.data.brain.coarse_images import coarse_images
from smalltumor.data.case import Case
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.read_case import read_case, read_case_files

Image = npt.NDArray[np.generic]

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


def without_background(images: Sequence[Image]) -> list[Image]:
    named = {str(n): image for n, image in enumerate(images)}
    return remove_background(named, coarse_images(named, SPACING))


def mask_of(images: Sequence[Image]) -> npt.NDArray[np.bool_]:
    return np.logical_or.reduce([image > 0 for image in without_background(images)])


@pytest.mark.slow
def test_images_of_brats_are_returned_as_they_are(shared: Path) -> None:
    for files in find_cases(shared / "data" / "brats2021"):
        volumes = read_case_files(files).volumes
        images = [volumes[modality] for modality in MODALITIES]
        removed = without_background(images)
        assert all(map(np.may_share_memory, removed, images)), files.name


@pytest.mark.parametrize("offset", [100, -500])
def test_an_offset_is_removed_exactly(images, offset: int) -> None:
    shifted = without_background([image + np.int16(offset) for image in images])
    for got, expected in zip(shifted, images, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("normalise", [z_scored, z_scored_in_brain])
def test_the_brain_of_a_z_scored_case_is_found_exactly(images, brain, normalise) -> None:
    normalised = [normalise(image) for image in images]
    np.testing.assert_array_equal(mask_of(normalised), brain)
    for got, expected in zip(without_background(normalised), images, strict=True):
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


@pytest.mark.parametrize("axis", [0, 2])
def test_a_part_of_the_brain_behind_missing_slices_is_kept(images, brain, axis: int) -> None:
    middle = int(np.median(np.flatnonzero(brain.any(axis=tuple({0, 1, 2} - {axis})))))
    gap = tuple(slice(middle, middle + 5) if a == axis else slice(None) for a in range(3))
    cut = [image.copy() for image in images]
    for image in cut:
        image[gap] = 0
    assert all(map(np.may_share_memory, without_background(cut), cut))
    offset = [image + np.int16(50) for image in cut]
    np.testing.assert_array_equal(mask_of(offset), np.logical_or.reduce([x > 0 for x in cut]))


@pytest.mark.parametrize("percentile", [5, 8, 10, 20])
def test_a_brain_with_a_few_values_below_the_background_is_unchanged(
    images, brain, percentile: float
) -> None:
    low = [np.percentile(image[image > 0], percentile) + 0.5 for image in images]
    shifted = [np.where(i > 0, i - level, 0.0) for i, level in zip(images, low, strict=True)]
    np.testing.assert_array_equal(mask_of(shifted), brain)
    for got, expected in zip(without_background(shifted), images, strict=True):
        inside = expected > expected[expected > 0].min()
        np.testing.assert_allclose(np.ptp(got[inside] - expected[inside]), 0, atol=1e-2)


@pytest.fixture(scope="module")
def stored(images) -> dict[str, list[Image]]:
    """Images as people's pipelines store them, with a constant around what they show."""
    return {
        "an offset": [image + np.int16(100) for image in images],
        "a z-score": [z_scored_in_brain(image) for image in images],
        "a z-score of the volume": [z_scored(image) for image in images],
        "ringing": [np.round(resampled_by_splines(image)).astype(np.int16) for image in images],
        "faint ringing": [image + faint_ringing(image) for image in images],
    }


def faint_ringing(image: Image) -> npt.NDArray[np.int16]:
    """Around the brain, in about as many voxels as decide whether a background is clean."""
    around = ndimage.binary_dilation(image > 0) & (image == 0)
    chosen = around & (np.random.default_rng(0).random(image.shape) < 0.1)
    return np.where(chosen, np.int16(1), np.int16(0))


widths = st.tuples(*[st.tuples(st.integers(0, 9), st.integers(0, 9))] * 3)


@settings(max_examples=4)
@given(before=widths, after=widths)
@pytest.mark.parametrize(
    "kind", ["an offset", "a z-score", "a z-score of the volume", "ringing", "faint ringing"]
)
def test_planes_of_background_change_no_voxel(stored, kind: str, before, after) -> None:
    def framed(width) -> list[Image]:
        frames = [np.pad(i, width, constant_values=i[0, 0, 0]) for i in stored[kind]]
        inside = tuple(slice(n, n + size) for (n, _), size in zip(width, shape, strict=True))
        return [image[inside] for image in without_background(frames)]

    shape = stored[kind][0].shape
    for one, other in zip(framed(before), framed(after), strict=True):
        np.testing.assert_array_equal(one, other)
