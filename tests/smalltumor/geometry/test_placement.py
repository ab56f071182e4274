"""A volume that was turned, cropped or padded lies on its grid again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.errors import GridMismatchError
from smalltumor.geometry.grid import Grid, reoriented, to_axes
from smalltumor.geometry.placement import place_on_grid
from synthetic import ORIENTATIONS, grid_along

TARGET = grid_along("LPS", spacing=(1.0, 1.2, 5.0), degrees=9.0)
LABELS = np.zeros(TARGET.shape, np.uint8)
LABELS[2:5, 3:6, 4:7] = np.arange(27).reshape(3, 3, 3) % 4


def cropped(volume: np.ndarray, grid: Grid, low: int, high: int) -> tuple[np.ndarray, Grid]:
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_patient([low] * 3)
    part = volume[low:high, low:high, low:high]
    return part, Grid(part.shape, affine)


@given(st.sampled_from(ORIENTATIONS), st.integers(0, 2), st.integers(6, 7))
def test_a_turned_and_cropped_mask_lies_where_it_was(axcodes, low, high):
    part, grid = cropped(LABELS, TARGET, low, high)
    turned = to_axes(part, grid, axcodes)
    placed = place_on_grid(turned, reoriented(grid, axcodes), TARGET)
    expected = np.where(_within(low, high), LABELS, 0)
    np.testing.assert_array_equal(placed, expected)


def _within(low: int, high: int) -> np.ndarray:
    inside = np.zeros(LABELS.shape, bool)
    inside[low:high, low:high, low:high] = True
    return inside


@given(st.sampled_from(ORIENTATIONS))
def test_a_padded_mask_lies_where_it_was(axcodes):
    part, small = cropped(LABELS, TARGET, 1, 7)
    turned, grid = to_axes(LABELS, TARGET, axcodes), reoriented(TARGET, axcodes)
    np.testing.assert_array_equal(place_on_grid(turned, grid, small), part)


def test_labels_outside_the_images_are_refused():
    _, small = cropped(LABELS, TARGET, 3, 6)
    with pytest.raises(GridMismatchError, match="labelled voxels lie outside"):
        place_on_grid(LABELS, TARGET, small)


@pytest.mark.parametrize("shift", [0.3, 1.0])
def test_voxels_at_other_positions_are_not_placed(shift):
    affine = TARGET.affine.copy()
    affine[:3, 3] = TARGET.to_patient([shift, 0, 0])
    assert place_on_grid(LABELS, Grid(TARGET.shape, affine), TARGET) is None


def test_other_voxel_sizes_are_not_placed():
    affine = TARGET.affine @ np.diag([0.5, 1, 1, 1])
    assert place_on_grid(LABELS[:3], Grid((3, *TARGET.shape[1:]), affine), TARGET) is None
