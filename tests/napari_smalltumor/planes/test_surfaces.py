"""Surfaces are where their masks are, and seen from the side that faces the viewer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import ndimage

from napari_smalltumor.planes.placement import Placement
from napari_smalltumor.planes.surfaces import Surface, shade, surface_of, view_axes

PLACEMENT = Placement(np.array([10.0, -20.0, 5.0]), np.array([1.0, 2.0, 0.5]), (20, 20, 20))


@pytest.fixture
def surface():
    mask = np.zeros((20, 20, 20), bool)
    mask[4:10, 5:12, 6:16] = True
    return surface_of(mask, PLACEMENT)


def test_points_lie_on_the_outer_voxels_and_normals_point_outwards(surface):
    voxels = PLACEMENT.voxel(surface.points)
    assert voxels.min(axis=0) == pytest.approx([4, 5, 6])
    assert voxels.max(axis=0) == pytest.approx([9, 11, 15])
    inner = np.all((voxels > [4, 5, 6]) & (voxels < [9, 11, 15]), axis=1)
    assert not inner.any()
    middle = surface.points.mean(axis=0)
    outwards = ((surface.points - middle) * surface.normals).sum(axis=1)
    assert (outwards > 0).all()


def test_an_empty_mask_has_no_surface():
    empty = surface_of(np.zeros((5, 5, 5), bool), PLACEMENT)
    assert not len(empty.points)
    assert not shade(empty, view_axes(0, 0), np.zeros(3), 1.0, (10, 10)).any()


def test_the_face_is_in_front_and_the_patients_left_on_the_right():
    right, down, away = view_axes(0, 0)
    assert right == pytest.approx([0, 0, 1])
    assert down == pytest.approx([1, 0, 0])
    assert away == pytest.approx([0, 1, 0])
    for yaw, pitch in ((30, 0), (-70, 20), (180, -45)):
        axes = view_axes(yaw, pitch)
        assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-9)
        assert np.linalg.det(axes) == pytest.approx(np.linalg.det(view_axes(0, 0)))


def test_the_picture_shows_the_surface_in_its_place(surface):
    centre = surface.points.mean(axis=0)
    picture = shade(surface, view_axes(0, 0), centre + np.array([2, 0, 0]), 3.0, (60, 80))
    rows, columns = np.nonzero(picture)
    assert columns.mean() == pytest.approx(40, abs=2)
    assert rows.mean() == pytest.approx(30 - 6, abs=2), "the centre of the picture lies below"
    assert picture.max() <= 1


@given(st.floats(0.5, 6), st.floats(-1, 1), st.floats(0.3, 4))
@example(2.0, 0.0, 1.0)
def test_a_flat_surface_has_no_gaps_at_any_scale(scale, shift, spacing):
    side = np.arange(12) * spacing
    points = np.array([(x, 0.0, y) for x in side for y in side], np.float32)
    flat = Surface(points, np.tile(np.float32([0, -1, 0]), (len(points), 1)), spacing)
    centre = points.mean(axis=0) + shift
    size = int(14 * spacing * scale) + 4
    seen = shade(flat, view_axes(0, 0), centre, scale, (size, size)) > 0
    rows, columns = np.nonzero(seen)
    assert seen[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()


@given(st.floats(-180, 180), st.floats(-90, 90), st.floats(0.7, 5))
@example(35.0, 30.0, 3.0)
@example(0.0, 0.0, 3.0)
@example(-90.0, 0.0, 2.0 - 1e-15)
@example(90.0, 0.0, 4.0)
def test_a_round_surface_has_no_gaps_from_any_side(yaw, pitch, scale):
    shape = (26, 26, 26)
    ball = np.linalg.norm(np.indices(shape) - 12.5, axis=0) < 11
    surface = surface_of(ball, Placement(np.zeros(3), np.ones(3), shape))
    size = int(26 * scale) + 6
    seen = shade(surface, view_axes(yaw, pitch), np.full(3, 12.5), scale, (size, size)) > 0
    assert seen.any()
    np.testing.assert_array_equal(ndimage.binary_fill_holes(seen), seen)
