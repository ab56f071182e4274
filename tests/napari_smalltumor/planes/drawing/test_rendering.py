"""A plane shows the voxels that napari's canvas shows in the same place."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from napari.layers import Image, Labels

from napari_smalltumor.layers.metadata import LayerKind, LayerRole
from napari_smalltumor.layers.views.edge_letters import edges_of_plane
from napari_smalltumor.planes.drawing.overlays import bar_length
from napari_smalltumor.planes.drawing.rendering import (
    image_pixels,
    joined,
    labels_pixels,
    outlines,
    slice_of,
)
from napari_smalltumor.planes.placement import placement_of
from napari_smalltumor.planes.plane import AXIAL, CORONAL, PLANES, SAGITTAL
from napari_smalltumor.planes.view import View, moved, viewport, zoomed

NUMBERS = st.floats(-50, 50)
POINTS = st.tuples(NUMBERS, NUMBERS, NUMBERS)
EXTENT = np.array([[-10.0, -20.0, -30.0], [50.0, 60.0, 70.0]])


def test_slices_have_the_planes_rows_and_columns():
    volume = np.arange(4 * 5 * 6).reshape(4, 5, 6)  # I, P, L
    assert np.array_equal(slice_of(volume, AXIAL, 2), volume[2])
    assert np.array_equal(slice_of(volume, CORONAL, 2), volume[:, 2])
    assert np.array_equal(slice_of(volume, SAGITTAL, 2), volume[:, :, 2])


def test_images_use_contrast_limits_gamma_and_colormap():
    layer = Image(np.zeros((2, 2, 2)), contrast_limits=(10, 20), gamma=2.0, colormap="red")
    pixels = image_pixels(layer, np.array([[0, 15], [20, np.nan]]))
    assert pixels[..., 0].tolist() == [[0, 63], [255, 0]]
    assert not pixels[..., 1:3].any()
    assert (pixels[..., 3] == 255).all()


@pytest.fixture
def labels() -> Labels:
    return Labels(np.zeros((9, 9, 9), np.uint8), colormap={None: "red", 0: "transparent"})


def test_labels_are_filled_in_their_colours(labels):
    values = np.zeros((9, 9), np.uint8)
    values[2:7, 2:7] = 1
    filled = labels_pixels(labels, values)
    assert np.array_equal(filled[..., 3] == 255, values == 1)
    assert (filled[values == 1][:, 0] == 255).all()


def test_an_outline_runs_along_the_edges_of_the_outer_pixels(labels):
    values = np.zeros((5, 6), np.uint8)
    values[2, 3] = 1
    ((colour, edges),) = outlines(labels, values)
    assert colour.tolist() == [255, 0, 0, 255]
    around = [[3, 2, 3, 3], [4, 2, 4, 3], [3, 2, 4, 2], [3, 3, 4, 3]]
    assert sorted(edges.tolist()) == sorted(around)
    assert not outlines(labels, np.zeros((5, 6), np.uint8))


RED, GREEN, YELLOW = (255, 0, 0), (0, 255, 0), (255, 255, 0)


@pytest.mark.parametrize("is_known", [True, False])
def test_the_necrotic_core_has_its_own_colour_where_edema_touches_it(is_known):
    """Each edge of the core is drawn last in red, and none of it is left in green."""
    role = LayerRole(LayerKind.TISSUE_CLASSES, scheme="brats2018")
    layer = Labels(
        np.zeros((2, 2, 2), np.uint8),
        colormap={None: "transparent", 0: "transparent", 1: "red", 2: "lime", 4: "yellow"},
        metadata=role.metadata() if is_known else {},
    )
    values = np.zeros((12, 12), np.uint8)
    values[1:11, 1:11], values[3:7, 3:7], values[8:10, 8:10] = 2, 1, 4
    seen = {}
    for colour, edges in outlines(layer, values):
        seen.update({tuple(edge): tuple(colour[:3]) for edge in edges.tolist()})
    core = [tuple(edge) for edge in edges_of(values == 1)]
    assert {seen[edge] for edge in core} == {RED}
    assert {seen[tuple(edge)] for edge in edges_of(values == 4)} == {YELLOW}
    assert GREEN in seen.values()


def edges_of(mask):
    layer = Labels(np.zeros((2, 2, 2), np.uint8), colormap={None: "red", 0: "transparent"})
    ((_, edges),) = outlines(layer, mask.astype(np.uint8))
    return edges.tolist()


@given(st.integers(1, 4), st.integers(1, 4))
def test_an_outline_at_the_border_of_the_image_is_closed(rows, columns):
    labels = Labels(np.zeros((4, 4, 4), np.uint8))
    values = np.zeros((4, 4), np.uint8)
    values[:rows, :columns] = 1
    ((_, edges),) = outlines(labels, values)
    assert len(edges) == 2 * (rows + columns)


@pytest.mark.parametrize("plane", PLANES, ids=lambda plane: plane.name)
def test_a_point_is_in_the_slice_whose_voxels_lie_around_it(plane):
    layer = Image(np.zeros((4, 5, 6)), scale=(2, 3, 4), translate=(10, -5, 7))
    placement = placement_of(layer)
    for index in range(layer.data.shape[plane.sliced]):
        voxel = [1.0, 1.0, 1.0]
        voxel[plane.sliced] = index + 0.4
        assert placement.slice_index(plane, tuple(layer.data_to_world(voxel))) == index
    voxel[plane.sliced] = layer.data.shape[plane.sliced]
    assert placement.slice_index(plane, tuple(layer.data_to_world(voxel))) is None


@given(arrays(np.uint8, (6, 7), elements=st.integers(0, 1)))
def test_edges_are_joined_to_closed_lines_that_hold_each_edge_once(values):
    layer = Labels(np.zeros((2, 2, 2), np.uint8), colormap={None: "red", 0: "transparent"})
    edges = [edge for _, found in outlines(layer, values) for edge in found.tolist()]
    lines = joined(np.array(edges, dtype=int).reshape(-1, 4))
    assert all(line[0] == line[-1] for line in lines)
    steps = [frozenset(step) for line in lines for step in pairwise(line)]
    assert sorted(map(sorted, steps)) == sorted(sorted([(a, b), (c, d)]) for a, b, c, d in edges)


def test_a_layer_whose_axes_are_not_the_worlds_has_no_placement():
    assert placement_of(Image(np.zeros((4, 5, 6)), rotate=20)) is None
    assert placement_of(Image(np.zeros((4, 5)))) is None
    swapped = np.eye(4)[[1, 0, 2, 3]]
    assert placement_of(Image(np.zeros((4, 5, 6)), affine=swapped)) is None
    assert placement_of(Image(np.zeros((4, 5, 6)), affine=np.diag([-1, 1, 1, 1]))) is not None


@given(POINTS, st.sampled_from(PLANES), st.floats(0.2, 5))
def test_screen_and_world_agree_and_zooming_keeps_a_point(point, plane, factor):
    port = viewport(View(), plane, EXTENT, 300, 200)
    x, y = port.to_screen(point)
    assert port.to_world(x, y, point[plane.sliced]) == pytest.approx(point, abs=1e-6)
    closer = viewport(zoomed(View(), port, factor, point), plane, EXTENT, 300, 200)
    assert closer.to_screen(point) == pytest.approx((x, y), abs=1e-4)
    aside = viewport(moved(View(), port, 7, -3), plane, EXTENT, 300, 200)
    assert aside.to_screen(point) == pytest.approx((x + 7, y - 3), abs=1e-6)


def test_left_is_right_of_right_and_the_scale_is_one_for_all_planes():
    for plane in (AXIAL, CORONAL):
        port = viewport(View(), plane, EXTENT, 300, 200)
        assert port.to_screen((0, 0, 10))[0] > port.to_screen((0, 0, -10))[0], "L is on the right"
        assert edges_of_plane(plane.rows, plane.columns, []).right == "L"
    assert len({viewport(View(), plane, EXTENT, 300, 200).scale for plane in PLANES}) == 1


@given(st.floats(0.01, 1000))
def test_the_scale_bar_has_a_round_length_that_fits(longest):
    length = bar_length(longest)
    assert longest / 2.51 <= length <= longest * 1.001
    assert f"{length:.0e}"[0] in "125"
