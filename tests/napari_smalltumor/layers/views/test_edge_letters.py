"""Letters name what lies at the edges of the canvas, however it is turned."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from napari.components import ViewerModel
from napari.layers import Layer
from napari_cases import ORIENTATIONS, case_along, write_case_along

from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.views.edge_letters import (
    UNCLEAR,
    Edges,
    edges_of_canvas,
    edges_of_directions,
    is_mirror_image,
)
from napari_smalltumor.loading.open_case import open_case

CAMERAS = list(product(("down", "up"), ("right", "left")))
ORDERS = list(permutations(range(3)))


@pytest.fixture
def head(viewer, tmp_path) -> ViewerModel:
    open_case(viewer, write_case_along(tmp_path / "Pat"))
    return viewer


@pytest.fixture
def copies(head) -> ViewerModel:
    """Copies of the images, which may be moved."""
    viewer = ViewerModel()
    for layer in [layer for layer in head.layers if layer._type_string == "image"]:
        viewer.add_layer(Layer.create(*layer.as_layer_data_tuple()))
    return viewer


def letters_by_coordinates(viewer: ViewerModel, axcodes: str = "LPS") -> Edges:
    """What lies at the edges, by the patient coordinates of the voxels found there."""
    layer = viewer.layers[0]
    grid = case_along(axcodes).grid
    voxels = np.stack(np.indices(grid.shape), axis=-1).reshape(-1, 3)
    ras = [to_display(values.reshape(grid.shape), grid) for values in grid.to_patient(voxels).T]
    middle = np.array(layer.data_to_world((np.array(layer.data.shape) - 1) / 2))
    down, right = np.eye(3)[list(viewer.dims.displayed)]
    vertical, horizontal = viewer.scene.camera.orientation2d
    down = down if vertical == "down" else -down
    right = right if horizontal == "right" else -right
    found = []
    for step in (-right, right, -down, down):
        at = tuple(np.rint(layer.world_to_data(middle + 3 * step)).astype(int))
        against = tuple(np.rint(layer.world_to_data(middle - 3 * step)).astype(int))
        change = np.array([values[at] - values[against] for values in ras])
        axis = int(np.argmax(np.abs(change)))
        found.append("RAS"[axis] if change[axis] > 0 else "LPI"[axis])
    return Edges(*found)


@pytest.mark.parametrize("camera", CAMERAS, ids="-".join)
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_letters_follow_the_axes_and_the_orientation_of_the_camera(head, order, camera):
    head.dims.order = order
    head.scene.camera.orientation2d = camera
    assert edges_of_canvas(head) == letters_by_coordinates(head)


@pytest.mark.parametrize("axcodes", ORIENTATIONS[::12])
def test_letters_do_not_depend_on_the_axes_of_the_files(viewer, tmp_path, axcodes):
    open_case(viewer, write_case_along(tmp_path / "Pat", axcodes))
    assert edges_of_canvas(viewer) == Edges("R", "L", "A", "P")
    viewer.scene.camera.orientation2d = ("down", "left")
    assert edges_of_canvas(viewer) == letters_by_coordinates(viewer, axcodes)


def test_letters_follow_copies_that_are_mirrored_or_turned_by_their_transform(copies):
    for layer in copies.layers:
        layer.affine = np.diag([1, 1, -1, 1.0])
    assert edges_of_canvas(copies) == letters_by_coordinates(copies) == Edges("L", "R", "A", "P")
    for layer in copies.layers:
        layer.affine = [[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]]
    assert edges_of_canvas(copies) == letters_by_coordinates(copies)


def test_layers_of_different_directions_have_no_letter_that_is_wrong_for_one_of_them(copies):
    copies.layers[0].affine = np.diag([1, 1, -1, 1.0])
    copies.layers[0].visible = copies.layers[1].visible = True
    assert edges_of_canvas(copies) == Edges(UNCLEAR, UNCLEAR, "A", "P")
    copies.layers[0].visible = False
    assert edges_of_canvas(copies) == Edges("R", "L", "A", "P")


def test_an_axis_of_time_before_those_of_the_head_has_no_letter(head):
    head.add_image(np.zeros((2, 3, 4, 5)))
    assert edges_of_canvas(head) == Edges("R", "L", "A", "P")
    head.dims.order = (1, 2, 0, 3)
    assert edges_of_canvas(head) == Edges("R", "L", "", "")


def test_a_head_in_3d_has_letters_of_the_view_and_none_if_time_is_displayed(head):
    head.dims.ndisplay = 3
    camera = head.scene.camera
    camera.set_view_direction((0, 1, 0), (-1, 0, 0))  # at the face, head up
    assert edges_of_canvas(head) == Edges("R", "L", "S", "I")
    camera.set_view_direction((0, 1, 0.7), (-1, 0, 0))
    assert edges_of_canvas(head) == Edges("RP", "LA", "S", "I")
    camera.set_view_direction((1, 1, 1), (-1, 0, 0))
    found = edges_of_canvas(head)
    assert (set(found.right), set(found.bottom)) == (set("LA"), set("IAR"))
    head.add_image(np.zeros((2, 3, 4, 5)))
    head.dims.order = (1, 0, 2, 3)
    assert edges_of_canvas(head) is None


def test_copies_that_are_mirrored_in_3d_have_unclear_letters_beside_others(copies):
    copies.dims.ndisplay = 3
    copies.scene.camera.set_view_direction((0, 1, 0), (-1, 0, 0))
    for layer in copies.layers:
        layer.affine = np.diag([1, 1, -1, 1.0])
    assert edges_of_canvas(copies) == Edges("L", "R", "S", "I")
    copies.layers[0].visible, copies.layers[0].affine = True, np.eye(4)
    assert edges_of_canvas(copies) == Edges(UNCLEAR, UNCLEAR, "S", "I")


@given(arrays(float, 3, elements=st.floats(-1, 1)), arrays(float, 3, elements=st.floats(-1, 1)))
def test_letters_of_a_direction_are_those_of_its_large_components_in_their_order(right, down):
    assume(min(np.linalg.norm(right), np.linalg.norm(down)) > 0.1)
    edges = edges_of_directions(right, down)
    for letters, opposite, direction in (
        (edges.right, edges.left, right),
        (edges.bottom, edges.top, down),
    ):
        shares = dict(zip("IPL", direction / np.linalg.norm(direction), strict=True))
        shares |= {o: -shares[letter] for letter, o in zip("IPL", "SAR", strict=True)}
        assert 1 <= len(letters) <= 3
        sizes = [shares[letter] for letter in letters]
        assert sizes == sorted(sizes, reverse=True)
        assert all(shares[x] > 0.38 for x in letters)
        assert all(shares[x] < 0.39 for x in set("IPLSAR") - set(letters))
        assert [shares[x] for x in opposite] == [-size for size in sizes]


def test_no_letters_for_layers_of_unknown_axes(head):
    for layer in head.layers:
        layer.visible = False
    head.add_image(np.zeros((4, 5, 6)))
    assert edges_of_canvas(head) is None


@pytest.mark.parametrize("depth", ["towards", "away"])
@pytest.mark.parametrize("camera", CAMERAS, ids="-".join)
def test_a_head_in_3d_is_a_mirror_image_after_an_odd_number_of_reflections(head, depth, camera):
    head.scene.camera.orientation = (depth, *camera)
    assert not is_mirror_image(head), "in 2D letters tell"
    head.dims.ndisplay = 3
    odd = [depth, *camera].count("away") + camera.count("up") + camera.count("left")
    assert is_mirror_image(head) == bool(odd % 2)
    head.scene.camera.angles = (10, 20, 30)
    assert is_mirror_image(head) == bool(odd % 2), "turning a head does not mirror it"
    head.dims.order = (0, 2, 1)
    assert is_mirror_image(head) != bool(odd % 2)


def test_a_mirrored_copy_in_3d_is_a_mirror_image(copies):
    copies.dims.ndisplay = 3
    assert not is_mirror_image(copies)
    copies.layers[-1].visible, copies.layers[-1].affine = True, np.diag([1, -1, 1, 1.0])
    assert is_mirror_image(copies)
