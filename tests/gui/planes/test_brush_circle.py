"""The brush covers no voxel of the image."""

from __future__ import annotations

import numpy as np
import pytest

from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.main_window.planes_window import planes_window

BRUSH, HALF = 5, 8


@pytest.mark.one_binding
def test_the_brush_hides_no_voxel_and_leaves_nothing_on_the_image(
    make_napari_viewer, synthetic_case
):
    viewer = make_napari_viewer(show=True)
    open_case(viewer, synthetic_case)
    for image in viewer.layers:
        image.data, image.contrast_limits = np.ones_like(image.data), (0, 1)
    labels = viewer.add_labels(
        np.zeros_like(image.data, dtype=np.uint8), scale=image.scale, units=image.units
    )
    row, column = (number // 2 for number in planes_window(viewer).napari_canvas.canvas.size)

    def around_brush() -> np.ndarray:
        drawn = viewer.screenshot(flash=False)[..., :3]
        return drawn[row - HALF : row + HALF, column - HALF : column + HALF]

    before = around_brush()
    assert before.min() > 0
    viewer.mouse_over_canvas = True
    labels.mode, labels.brush_size = "paint", BRUSH
    brush = viewer.canvas.overlays._brush_circle
    assert brush.visible and brush.size > 3 * HALF
    brush.position = column, row
    image.visible = False  # as with another sequence, by a key
    image.visible = True
    np.testing.assert_array_equal(around_brush(), before)
    viewer.mouse_over_canvas = False
    labels.mode = "pan_zoom"
    np.testing.assert_array_equal(around_brush(), before)
