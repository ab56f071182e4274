"""The letters on napari's own canvas."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from napari_smalltumor.layers.views.edge_letters import Edges
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.main_window.canvas_letters import MIRROR_IMAGE, CanvasLetters
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.planes.plane import PLANES


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=True)


@pytest.mark.one_binding
def test_naparis_canvas_has_the_letters_of_its_plane_and_a_scale_bar(viewer, synthetic_case):
    open_case(viewer, synthetic_case)
    canvas = planes_window(viewer).napari_canvas.canvas.native
    letters = canvas.findChild(CanvasLetters)
    assert letters.size() == canvas.size()
    for plane, edges in zip(PLANES, ("RLAP", "RLSI", "APSI"), strict=True):
        viewer.dims.order = (plane.sliced, plane.rows, plane.columns)
        assert letters.edges == Edges(*edges)
    viewer.dims.ndisplay = 3
    assert letters.edges is not None
    assert viewer.canvas.overlays.scale_bar.visible


@pytest.mark.one_binding
def test_the_letter_of_the_left_is_where_naparis_canvas_draws_the_left(viewer, sample_folder):
    open_case(viewer, sample_folder)
    for layer in viewer.layers:
        layer.visible = layer is viewer.layers[0]
    layer = viewer.layers[0]
    layer.data = np.broadcast_to(np.arange(layer.data.shape[2]), layer.data.shape)  # L is bright
    layer.reset_contrast_limits()
    letters = planes_window(viewer).napari_canvas.canvas.native.findChild(CanvasLetters)
    viewer.canvas.overlays.scale_bar.visible = False
    orders = ((0, 1, 2), (0, 2, 1))
    for order, *orientation in product(orders, ("down", "up"), ("left", "right")):
        viewer.dims.order, viewer.scene.camera.orientation2d = order, tuple(orientation)
        drawn = viewer.screenshot(flash=False)[..., :3].mean(axis=-1)
        rows, columns = (np.arange(n) - (n - 1) / 2 for n in drawn.shape)
        towards = {"right": drawn @ columns, "bottom": rows @ drawn}
        towards = {edge: float(np.sum(moment)) for edge, moment in towards.items()}
        edge = max(towards, key=lambda name: abs(towards[name]))
        opposite = {"right": "left", "bottom": "top"}
        assert getattr(letters.edges, edge if towards[edge] > 0 else opposite[edge]) == "L"


@pytest.mark.one_binding
@pytest.mark.parametrize("flips", [(), ("left",), ("up",), ("away",), ("left", "up")], ids="-".join)
def test_3d_says_that_it_is_a_mirror_image_if_it_is_one(viewer, synthetic_case, flips):
    open_case(viewer, synthetic_case)
    canvas = planes_window(viewer).napari_canvas.canvas.native
    viewer.scene.camera.orientation = tuple(
        flipped if flipped in flips else default
        for default, flipped in (("towards", "away"), ("down", "up"), ("right", "left"))
    )
    for layer in viewer.layers:
        layer.visible = layer is viewer.layers[0]
    layer = viewer.layers[0]
    layer.data = np.broadcast_to(np.arange(layer.data.shape[2]), layer.data.shape)  # L is bright
    layer.reset_contrast_limits()
    viewer.dims.ndisplay = 3
    viewer.scene.camera.set_view_direction((0, 1, 0), (-1, 0, 0))  # at the face, head up
    viewer.canvas.overlays.scale_bar.visible = False
    drawn = viewer.screenshot(flash=False)[..., :3].mean(axis=(0, 2))
    left_is_on_the_right = drawn @ (np.arange(len(drawn)) - (len(drawn) - 1) / 2) > 0
    expected = "" if left_is_on_the_right else MIRROR_IMAGE
    assert canvas.findChild(CanvasLetters).warning == expected


FRONT, OBLIQUE = (0.0, 1.0, 0.0), (0.3, 1.0, 0.8)


@pytest.mark.one_binding
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)], ids=str)
@pytest.mark.parametrize("view", [FRONT, OBLIQUE], ids=["front", "oblique"])
@pytest.mark.parametrize("flips", [(), ("left",), ("up", "away")], ids="-".join)
def test_letters_in_3d_are_where_napari_draws_these_sides(
    viewer, synthetic_case, flips, view, order
):
    open_case(viewer, synthetic_case)
    letters = planes_window(viewer).napari_canvas.canvas.native.findChild(CanvasLetters)
    camera, layer = viewer.scene.camera, viewer.layers[0]
    for other in viewer.layers:
        other.visible = other is layer
    viewer.dims.order = order
    viewer.dims.ndisplay = 3
    camera.orientation = tuple(
        flipped if flipped in flips else default
        for default, flipped in (("towards", "away"), ("down", "up"), ("right", "left"))
    )
    seen, up = np.array(view)[list(order)], np.array((-1.0, 0.0, 0.0))[list(order)]
    camera.set_view_direction(tuple(seen), tuple(up))
    viewer.canvas.overlays.scale_bar.visible = False
    spots = [spot_on_screen(viewer, layer, axis) for axis in range(3)]
    right, down = np.array(spots).T
    assert (letters.edges.right, letters.edges.bottom) == (letters_of(right), letters_of(down))


def spot_on_screen(viewer, layer, axis: int) -> tuple[float, float]:
    """Where a spot at the inferior, posterior or left side is drawn: to the right, and down."""
    shape = layer.data.shape
    data, at = np.zeros(shape), [n // 2 for n in shape]
    at[axis] = shape[axis] - 2
    data[tuple(slice(n - 1, n + 2) for n in at)] = 1.0
    layer.data, layer.contrast_limits = data, (0, 1)
    drawn = viewer.screenshot(flash=False)[..., :3].mean(axis=-1)
    rows, columns = (np.arange(n) - (n - 1) / 2 for n in drawn.shape)
    assert drawn.max() > 0
    mm = (at[axis] - (shape[axis] - 1) / 2) * layer.scale[axis]
    return float((drawn @ columns).sum() / drawn.sum() / mm), float(
        (rows @ drawn).sum() / drawn.sum() / mm
    )


def letters_of(direction: np.ndarray) -> str:
    """The letters of the large components of a direction along I, P and L."""
    shares = direction / np.linalg.norm(direction)
    return "".join(
        ("IPL" if shares[n] > 0 else "SAR")[n]
        for n in np.argsort(-np.abs(shares))
        if abs(shares[n]) > np.sin(np.radians(22.5))
    )
