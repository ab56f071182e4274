"""A stroke on napari's canvas ends when its layer is no longer selected or seen."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)

from napari_smalltumor.layers.editing import canvas_strokes
from napari_smalltumor.layers.editing.canvas_strokes import ensure_canvas_strokes


@pytest.fixture
def layers(viewer):
    """Two masks; the first is selected, with its brush."""
    ensure_canvas_strokes(viewer)
    ensure_canvas_strokes(viewer)
    first, second = (viewer.add_labels(np.zeros((3, 20, 20), np.uint8), name=n) for n in "ab")
    viewer.layers.selection.active = first
    first.mode, first.brush_size = "paint", 1
    return first, second


def mouse(kind: str, column: int, *, dragging: bool) -> SimpleNamespace:
    """An event of the mouse on napari's canvas."""
    return SimpleNamespace(
        type=kind,
        button=1,
        is_dragging=dragging,
        position=(1, 10, column),
        view_direction=None,
        dims_displayed=[1, 2],
        dims_point=[1, 10, column],
        modifiers=(),
        handled=False,
    )


def drag(layer, columns) -> None:
    for column in columns:
        mouse_move_callbacks(layer, mouse("mouse_move", column, dragging=True))


def press(layer, column: int) -> None:
    mouse_press_callbacks(layer, ReadOnlyWrapper(mouse("mouse_press", column, dragging=False)))


@pytest.mark.parametrize(
    "end", ["selected", "hidden", "transparent", "removed", "tool", "slice", "centre"]
)
def test_a_stroke_that_is_interrupted_does_not_go_on_without_a_button(viewer, layers, end):
    layer, other = layers
    press(layer, 2)
    drag(layer, [3, 4])
    if end == "selected":
        viewer.layers.selection.active = other
    elif end == "hidden":
        layer.visible = False
    elif end == "transparent":
        layer.opacity = 0
    elif end == "removed":
        viewer.layers.remove(layer)
    elif end == "slice":
        viewer.dims.set_point(0, 2)
    elif end == "centre":
        viewer.scene.camera.center = (0, 5, 5)
    else:
        layer.mode = "pan_zoom"
    before = layer.data.copy()
    assert before.sum() == 3
    drag(layer, [5, 6])
    mouse_move_callbacks(layer, mouse("mouse_move", 9, dragging=False))
    assert np.array_equal(layer.data, before)
    layer.visible, layer.opacity = True, 1
    layer.undo()
    assert not layer.data.any()  # the stroke is one step of undo


def test_a_stroke_whose_release_was_sent_to_a_dialog_ends_with_the_next_move(
    viewer, layers, monkeypatch
):
    layer, _ = layers
    pressed = [True]
    monkeypatch.setattr(canvas_strokes, "_is_button_pressed", lambda: pressed[0])
    mouse_press_callbacks(viewer, ReadOnlyWrapper(mouse("mouse_press", 2, dragging=False)))
    press(layer, 2)
    for pressed[0], column in ((True, 3), (False, 7), (True, 8)):
        mouse_move_callbacks(viewer, mouse("mouse_move", column, dragging=True))
        drag(layer, [column])
    assert layer.data[1, 10].nonzero()[0].tolist() == [2, 3]


def test_a_stroke_goes_on_until_the_button_is_released(viewer, layers):
    layer, other = layers
    press(layer, 2)
    other.visible = False
    viewer.layers.selection.active = layer
    drag(layer, [3, 4])
    mouse_release_callbacks(layer, mouse("mouse_release", 4, dragging=False))
    assert layer.data.sum() == 3
    layer.undo()
    assert not layer.data.any()


def test_a_new_stroke_begins_with_the_next_press(viewer, layers):
    layer, other = layers
    press(layer, 2)
    viewer.layers.selection.active = other
    viewer.layers.selection.active = layer
    press(layer, 8)
    drag(layer, [9])
    assert layer.data[1, 10].nonzero()[0].tolist() == [2, 8, 9]
