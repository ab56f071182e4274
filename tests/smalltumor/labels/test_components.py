"""Connected components and their diameter."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from hypothesis.strategies import builds, permutations
from scipy import ndimage
from scipy.spatial.distance import pdist
from smalltumor.labels.components import connected_components, largest_diameter

MASKS = builds(  # in any memory order
    np.transpose,
    arrays(bool, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6)),
    permutations(range(3)),
)
OBLIQUE = np.array([[0.9, 0.1, 0, 5], [-0.1, 1.2, 0.2, 6], [0.05, 0, 2.5, 7], [0, 0, 0, 1.0]])


@given(MASKS)
def test_components_are_numbered_by_size_and_partition_the_mask(mask):
    components = connected_components(mask)
    image = components.label_image()
    assert np.array_equal(image > 0, mask)
    assert list(components.sizes) == sorted(np.bincount(image.ravel())[1:])
    assert len(components) == ndimage.label(mask, np.ones((3, 3, 3)))[1]
    for number, voxels in enumerate(components.voxels, start=1):
        assert np.array_equal(voxels, np.argwhere(image == number))


@pytest.mark.parametrize("order", ["C", "F"])
def test_components_of_equal_size_are_numbered_in_scan_order(order):
    mask = np.zeros((13, 11, 9), bool, order=order)
    mask[::2, ::2, ::2] = True
    numbers = connected_components(mask).label_image()[mask]
    np.testing.assert_array_equal(numbers, np.arange(1, 7 * 6 * 5 + 1))


@pytest.mark.parametrize("edge", [0, 2])
def test_labels_are_read_only_int32_and_sizes_int64(edge):
    mask = np.zeros((4, 5, 6), bool)
    mask[:edge, :edge, :edge] = True
    components = connected_components(mask)
    assert components.labels.shape == (edge,) * 3
    assert (components.labels.dtype, components.sizes.dtype) == (np.int32, np.int64)
    assert components.label_image().dtype == np.int32
    if edge:
        with pytest.raises(ValueError, match="read-only"):
            components.labels[0, 0, 0] = 2


def test_voxels_that_share_a_corner_are_one_component():
    mask = np.zeros((4, 4, 4), bool)
    mask[1, 1, 1] = mask[2, 2, 2] = True
    assert list(connected_components(mask).sizes) == [2]
    mask[2, 2, 2], mask[3, 3, 3] = False, True
    assert list(connected_components(mask).sizes) == [1, 1]


@settings(deadline=None)
@given(MASKS.filter(np.any))
def test_diameter_is_the_largest_distance_between_any_two_corners(mask):
    voxels = np.argwhere(mask)
    corners = (voxels[:, None] + np.array(list(itertools.product((-0.5, 0.5), repeat=3)))).reshape(
        -1, 3
    )
    expected = pdist(corners @ OBLIQUE[:3, :3].T).max()
    assert largest_diameter(voxels, OBLIQUE) == pytest.approx(expected)


def test_the_diameter_of_a_large_ball_is_that_of_its_hull():
    grid = np.indices((61, 61, 61)) - 30
    voxels = np.argwhere((grid**2).sum(axis=0) <= 30**2)
    assert largest_diameter(voxels, np.eye(4)) == pytest.approx(60, abs=np.sqrt(3))


def test_a_flat_sheet_and_one_voxel_have_the_diameter_of_their_corners():
    sheet = np.argwhere(np.ones((40, 1, 40), bool))
    assert largest_diameter(sheet, np.eye(4)) == pytest.approx(np.sqrt(40**2 + 1 + 40**2))
    assert largest_diameter(np.array([[3, 4, 5]]), np.eye(4)) == pytest.approx(np.sqrt(3))


def test_columns_with_a_common_edge_have_the_diameter_of_their_corners():
    voxels = np.array([[0, 0, 5], [1, 1, 0]])
    assert largest_diameter(voxels, np.eye(4)) == pytest.approx(np.sqrt(2**2 + 2**2 + 6**2))
