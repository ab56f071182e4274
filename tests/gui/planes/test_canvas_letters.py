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
    assert letters.edges is None
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
