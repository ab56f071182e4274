"""Resampling of images and labels to another grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import (
    interpolate,
    interpolate_labels,
    resample,
    resample_labels,
)

SHAPE = (9, 11, 13)
SOURCE = Grid(SHAPE, np.diag([-1.0, -1.0, 1.0, 1.0]))


def along(source: Grid, shape, matrix, offset=(0, 0, 0)) -> Grid:
    """A grid whose voxel v is at the source's voxel ``matrix @ v + offset``."""
    steps = np.eye(4)
    steps[:3, :3], steps[:3, 3] = matrix, offset
    return Grid(shape, source.affine @ steps)


def spot(place) -> np.ndarray:
    volume = np.zeros(SHAPE, dtype=np.int16)
    volume[place] = 1
    return volume


def bell(width: float) -> tuple[float, float]:
    """Values at 0 and 1 of a sampled and normalised Gaussian of this standard deviation."""
    shares = np.exp(-0.5 * (np.arange(-4, 5) / width) ** 2)
    shares /= shares.sum()
    return shares[4], shares[5]


def test_resampling_to_the_same_grid_changes_nothing():
    volume = np.random.default_rng(0).normal(size=SHAPE)
    seen = resample(volume, SOURCE, SOURCE)
    assert seen.dtype == np.float32
    np.testing.assert_array_equal(seen, volume.astype(np.float32))


def test_values_between_voxels_are_linearly_interpolated():
    target = along(SOURCE, (2, 2, 2), np.eye(3), (4, 5, 6.25))
    np.testing.assert_allclose(resample(spot((4, 5, 6)), SOURCE, target)[0, 0], (0.75, 0))
    np.testing.assert_allclose(resample(spot((4, 5, 7)), SOURCE, target)[0, 0], (0.25, 0.75))


def test_an_image_is_zero_outside_the_source():
    target = along(SOURCE, SHAPE, np.eye(3), (-3, 0, 0))
    seen = resample(np.full(SHAPE, 7.0), SOURCE, target)
    assert not seen[:3].any()
    np.testing.assert_array_equal(seen[3:], 7)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_source_is_smoothed_along_the_coarser_axis_only(axis, sign):
    steps = np.ones(3)
    steps[axis] = 2 * sign
    offset = np.zeros(3)
    offset[axis] = 0 if sign > 0 else SHAPE[axis] - 1
    target = along(SOURCE, SHAPE, np.diag(steps), offset)
    middle = np.array((4, 4, 4))
    place = middle.copy()
    place[axis] += 1  # the target's voxels next to it are 4 and 6 of the source
    seen = resample(spot(tuple(place)), SOURCE, target)
    near = middle.copy()
    near[axis] = (4 - offset[axis]) / steps[axis]
    beside = near.copy()
    beside[(axis + 1) % 3] += 1
    assert seen[tuple(near)] == pytest.approx(bell(0.5)[1], rel=1e-4)
    assert seen[tuple(beside)] == 0


def test_the_smoothed_axis_is_that_of_the_source():
    # The target's first axis is the source's second, at every other voxel.
    turned = np.array([[0.0, 1, 0], [2, 0, 0], [0, 0, 1]])
    target = along(SOURCE, (5, 9, 13), turned)
    on, off = bell(0.5)
    seen = resample(spot((4, 4, 6)), SOURCE, target)
    assert seen[2, 4, 6] == pytest.approx(on, rel=1e-4)
    assert seen[2, 3, 6] == seen[2, 5, 6] == seen[2, 4, 5] == 0
    assert resample(spot((4, 5, 6)), SOURCE, target)[2, 4, 6] == pytest.approx(off, rel=1e-4)


@pytest.mark.parametrize(("step", "expected"), [(0.5, 1), (1, 1), (1.2, 1), (1.5, bell(0.25)[0])])
def test_the_source_is_smoothed_for_a_coarser_target_only(step, expected):
    target = along(SOURCE, (3, 5, 5), np.diag([step, 1, 1]), (4, 0, 0))
    seen = resample(spot((4, 2, 2)), SOURCE, target)[0, 2, 2]
    assert seen == (1 if expected == 1 else pytest.approx(expected, rel=1e-6))


def test_the_width_of_smoothing_grows_with_the_voxel_size():
    on, _ = bell(1.0)
    target = along(SOURCE, (3, 11, 13), np.diag([3.0, 1, 1]))
    assert resample(spot((3, 5, 6)), SOURCE, target)[1, 5, 6] == pytest.approx(on, rel=1e-3)


def test_rounding_errors_do_not_remove_the_outermost_voxels():
    target = along(SOURCE, SHAPE, np.eye(3), (-1e-9, 1e-9, -1e-9))
    np.testing.assert_allclose(resample(np.ones(SHAPE), SOURCE, target), 1, atol=1e-6)


def test_labels_resampled_to_the_same_grid_are_unchanged():
    labels = np.random.default_rng(3).integers(0, 4, SHAPE).astype(np.uint8)
    seen = resample_labels(labels, SOURCE, SOURCE)
    assert seen.dtype == np.uint8
    np.testing.assert_array_equal(seen, labels)


def test_the_largest_label_field_decides_and_ties_give_the_lower_label():
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[4], labels[5] = 3, 1
    quarter = along(SOURCE, SHAPE, np.eye(3), (0.25, 0, 0))
    half = along(SOURCE, SHAPE, np.eye(3), (0.5, 0, 0))
    assert list(resample_labels(labels, SOURCE, quarter)[3:6, 0, 0]) == [0, 3, 1]
    # 3.5 is half background, half 3; 4.5 half 3, half 1; 5.5 half 1, half background.
    assert list(resample_labels(labels, SOURCE, half)[3:6, 0, 0]) == [0, 1, 0]


def test_labels_are_background_outside_the_source():
    labels = np.full(SHAPE, 2, dtype=np.uint8)
    for offset, expected in (
        ((-0.75, 0, 0), [0, 2]),
        ((-0.25, 0, 0), [2, 2]),
        ((-2, 0, 0), [0, 0]),
    ):
        target = along(SOURCE, SHAPE, np.eye(3), offset)
        assert list(resample_labels(labels, SOURCE, target)[:2, 5, 5]) == expected


def test_an_empty_label_volume_stays_empty():
    target = along(SOURCE, (4, 5, 6), np.eye(3))
    seen = resample_labels(np.zeros(SHAPE, dtype=np.uint8), SOURCE, target)
    assert seen.shape == (4, 5, 6)
    assert seen.dtype == np.uint8
    assert not seen.any()


@given(
    seed=st.integers(0, 10_000),
    degrees=st.tuples(*[st.sampled_from([0, 3, 20, 90])] * 3),
    steps=st.tuples(*[st.sampled_from([-1.0, 0.5, 1.0, 1.7, 3.0])] * 3),
    offset=st.tuples(*[st.sampled_from([-3.0, 0.0, 0.5, 4.25, 12.0])] * 3),
)
def test_labels_are_those_of_the_fields_of_the_whole_volume(seed, degrees, steps, offset):
    draw = np.random.default_rng(seed)
    labels = np.zeros(draw.integers(3, 20, 3), dtype=np.uint8)
    for label in (1, 2, 4):
        place = tuple(slice(n := draw.integers(0, size), n + 3) for size in labels.shape)
        labels[place] = label
    to_source = np.eye(4)
    to_source[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix() * steps
    to_source[:3, 3] = offset
    shape = tuple(draw.integers(3, 25, 3))
    fields = {label: interpolate(labels == label, to_source, shape) for label in (0, 1, 2, 4)}
    fields[0] += np.maximum(0, 1 - interpolate(np.ones(labels.shape), to_source, shape))
    expected = np.array(list(fields))[np.argmax(list(fields.values()), axis=0)]
    np.testing.assert_array_equal(interpolate_labels(labels, to_source, shape), expected)
