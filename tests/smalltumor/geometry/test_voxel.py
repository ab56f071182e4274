"""Sizes and shapes of voxels, against a ball of points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.geometry.voxel import Voxel
from synthetic import grid_along

SHEARED = np.array([[1.0, 0.6, -0.4], [0.0, 0.8, 0.3], [0.0, 0.0, 2.0]])


def test_a_voxel_by_its_spacing_is_a_box():
    voxel = Voxel.of((0.9, 1.2, 2.5))
    assert voxel.is_box
    assert tuple(voxel.spacing) == (0.9, 1.2, 2.5)
    assert voxel.volume == pytest.approx(2.7)


@pytest.mark.parametrize("axcodes", ["LPS", "RAS", "SAL"])
def test_a_rotated_grid_in_single_precision_has_boxes(axcodes):
    edges = grid_along(axcodes, spacing=(0.9, 1.2, 2.5), degrees=33).affine[:3, :3]
    assert Voxel.of(edges.astype(np.float32)).is_box
    assert not Voxel.of(edges @ SHEARED).is_box


def test_places_in_a_sheared_grid_are_as_far_apart_as_in_the_patient():
    places = Voxel.of(SHEARED).places(np.array([[0, 0, 0], [-3, 5, 0]]))
    assert np.linalg.norm(places[1] - places[0]) == pytest.approx(4)  # (-3, 0, 0) + (3, 4, 0) mm


@pytest.mark.slow
@given(st.floats(0.5, 6), st.sampled_from([SHEARED, np.diag([0.9, 1.2, 2.5])]))
def test_a_ball_lies_within_its_reach_and_the_reach_is_no_longer(radius, edges):
    reach = Voxel.of(edges).reach(radius)
    indices = np.stack(np.meshgrid(*[np.linspace(-12, 12, 97)] * 3, indexing="ij"), axis=-1)
    inside = np.linalg.norm(indices @ edges.T, axis=-1) <= radius
    farthest = np.abs(indices[inside]).max(axis=0)
    assert np.all(farthest <= reach)
    assert np.all(reach - farthest <= 2)
